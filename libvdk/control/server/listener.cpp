// SPDX-License-Identifier: Apache-2.0
#include "control/server/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "vdk/core/error.hpp"

namespace vdk::control::rest {
namespace {

int bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
                                       : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// The socket, or -1 with errno.
int try_listen(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -1;
  }
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, 1024) == 0) {
    return fd;
  }
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

}  // namespace

std::pair<int, int> open_listener(const std::string& host, int port) {
  const std::string place = host + ":" + std::to_string(port);
  if (port < 0 || port > 65535) {
    throw Error(ErrorKind::configuration, {"cannot listen on " + place, "a port is a number from 0 to 65535",
                                           "The server does not start.", "Choose another port."});
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  if (const int error = getaddrinfo(host.c_str(), service.c_str(), &hints, &found); error != 0) {
    throw Error(ErrorKind::configuration,
                {"cannot listen on " + place, std::string("the address is not known: ") + gai_strerror(error),
                 "The server does not start.", "Use an address of this machine, such as 127.0.0.1 or 0.0.0.0."});
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (const int fd = try_listen(*address); fd >= 0) {
      return {fd, bound_port(fd)};
    }
    error = errno;
  }
  const bool taken = error == EADDRINUSE;
  throw Error(taken ? ErrorKind::conflict : ErrorKind::configuration,
              {"cannot listen on " + place, taken ? "another program uses this port" : std::strerror(error),
               "The server does not start.",
               taken ? "Stop the other program, or choose another port (0 = any free one)."
                     : "Use an address of this machine and a port that this user may open."});
}

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> text{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return "";
  }
  return text.data();
}

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void allow_open_files(std::size_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count) {
    limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace vdk::control::rest

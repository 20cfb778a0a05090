// SPDX-License-Identifier: Apache-2.0
#include "auth/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk::auth {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t longest_request = 16384;
constexpr std::size_t most_connections = 32;  // a browser opens some in advance and sends nothing on them

struct Connection {
  int fd;
  std::string received;
};

void send_page(int fd, const std::string& status, const std::string& text) {
  const std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>vdk</title></head>"
      "<body style=\"font-family:sans-serif;margin:4em\"><h1>" +
      text + "</h1></body></html>\n";
  const std::string all = "HTTP/1.1 " + status + "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " +
                          std::to_string(page.size()) +
                          "\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
                          "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; "
                          "style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n" +
                          page;
  (void)::send(fd, all.data(), all.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
}

/// More of a request; false when the connection is of no use any more.
bool receive(Connection& connection) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::recv(connection.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (count <= 0 || connection.received.size() + static_cast<std::size_t>(count) > longest_request) {
    return false;
  }
  connection.received.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

/// The query of "GET PATH?QUERY HTTP/1.1"; nothing for another request.
std::optional<std::string> wanted_query(std::string_view request, std::string_view path) {
  std::string_view line = request.substr(0, request.find("\r\n"));
  if (!line.starts_with("GET ")) {
    return std::nullopt;
  }
  line.remove_prefix(4);
  const std::string_view target = line.substr(0, line.find(' '));
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos || target.substr(0, question) != path) {
    return std::nullopt;
  }
  return std::string(target.substr(question + 1));
}

int open_listener(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 16) != 0) {
    const int reason = errno;
    ::close(fd);
    if (reason == EADDRINUSE) {
      throw Error(ErrorKind::conflict,
                  {"cannot wait for the browser", "port " + std::to_string(port) + " of this machine is in use",
                   "nobody was logged in", "give another one with OAUTH2_REDIRECT_URI_PORT, 0 for any free one"});
    }
    throw system_error("cannot wait for the browser on 127.0.0.1", reason);
  }
  return fd;
}

}  // namespace

Loopback::Loopback(int port) : m_listener(open_listener(port)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  (void)::getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size);
  m_port = ntohs(address.sin_port);
}

Loopback::~Loopback() {
  for (const int fd : {m_listener, m_waiting}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

std::optional<std::string> Loopback::wait(const std::string& path, std::chrono::seconds timeout) {
  const auto end = SteadyClock::now() + timeout;
  std::vector<Connection> connections;
  std::optional<std::string> query;
  while (!query) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now()).count();
    if (left <= 0) {
      break;
    }
    std::vector<pollfd> waiting = {{m_listener, POLLIN, 0}};
    for (const Connection& connection : connections) {
      waiting.push_back({connection.fd, POLLIN, 0});
    }
    (void)::poll(waiting.data(), waiting.size(), static_cast<int>(left));
    for (std::size_t i = connections.size(); i-- > 0 && !query;) {
      if (waiting[i + 1].revents == 0) {
        continue;
      }
      Connection& connection = connections[i];
      const bool usable = receive(connection);
      if (usable && connection.received.find("\r\n\r\n") == std::string::npos) {
        continue;
      }
      query = usable ? wanted_query(connection.received, path) : std::nullopt;
      if (query) {
        m_waiting = connection.fd;
      } else {
        send_page(connection.fd, "404 Not Found", "There is nothing here.");
        ::close(connection.fd);
      }
      connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (waiting[0].revents != 0 && !query) {
      if (const int fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0) {
        if (connections.size() == most_connections) {
          ::close(connections.front().fd);
          connections.erase(connections.begin());
        }
        connections.push_back({fd, {}});
      }
    }
  }
  for (const Connection& connection : connections) {
    ::close(connection.fd);
  }
  ::close(m_listener);
  m_listener = -1;
  return query;
}

void Loopback::answer(bool success) {
  if (m_waiting < 0) {
    return;
  }
  send_page(m_waiting, success ? "200 OK" : "400 Bad Request",
            success ? "You are logged in. This window can be closed."
                    : "The login failed. The terminal says why; this window can be closed.");
  ::close(m_waiting);
  m_waiting = -1;
}

}  // namespace vdk::auth

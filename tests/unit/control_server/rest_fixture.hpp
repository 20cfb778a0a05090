// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "control/fixture.hpp"
#include "vdk/control/server.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::testing {

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
  [[nodiscard]] std::string what() const { return json().at("what"); }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const std::string& line : text::lines(head)) {
      if (text::lower(line.substr(0, line.find(':'))) == text::lower(name)) {
        return std::string(text::trim(line.substr(line.find(':') + 1)));
      }
    }
    return "";
  }
};

/// One connection, byte by byte as the test wants it.
class Wire {
 public:
  explicit Wire(int port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const timeval limit{20, 0};
    setsockopt(m_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Wire() { ::close(m_fd); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// False when the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// The next whole answer; status 0 when the connection ended before one came.
  Answer receive(bool head_only = false) {
    while (m_input.find("\r\n\r\n") == std::string::npos) {
      if (!more()) {
        return {};
      }
    }
    Answer answer;
    const auto end = m_input.find("\r\n\r\n") + 4;
    answer.head = m_input.substr(0, end);
    m_input.erase(0, end);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string length = answer.header("Content-Length");
    const std::size_t size = head_only || length.empty() ? 0 : std::stoul(length);
    while (m_input.size() < size && more()) {
    }
    answer.body = m_input.substr(0, size);
    m_input.erase(0, size);
    return answer;
  }

  [[nodiscard]] bool closed() { return m_input.empty() && !more(); }

 private:
  bool more() {
    std::array<char, 65536> buffer{};
    const auto count = ::recv(m_fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      return false;
    }
    m_input.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  int m_fd;
  std::string m_input;
};

/// The REST server on a free port over the real embedded service.
struct RestFixture : Fixture {
  RestOptions rest;
  OpenService open_service = [this] { return open(); };
  std::unique_ptr<RestServer> server;
  std::thread thread;
  int port = 0;

  RestFixture() { rest.port = 0; }
  ~RestFixture() { stop(); }
  RestFixture(const RestFixture&) = delete;
  RestFixture& operator=(const RestFixture&) = delete;

  void start() {
    server = make_rest_server(rest, open_service, nullptr);
    port = server->listen();
    thread = std::thread([this] { server->run(); });
  }
  void stop() {
    if (thread.joinable()) {
      server->stop();
      thread.join();
    }
    server.reset();
  }

  [[nodiscard]] static std::string request(const std::string& method, const std::string& target,
                                           const std::string& body = "", const std::string& headers = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body;
  }

  /// One request on a connection of its own; a path without a leading slash is below team "team".
  Answer call(const std::string& method, const std::string& path, const std::string& body = "",
              const std::string& headers = "Content-Type: application/json\r\n") {
    if (!server) {
      start();
    }
    Wire wire(port);
    wire.send(request(method, path.starts_with('/') ? path : "/data-jobs/for-team/team/" + path, body, headers));
    return wire.receive(method == "HEAD");
  }
};

}  // namespace vdk::control::testing

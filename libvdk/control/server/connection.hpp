// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "control/server/framing.hpp"
#include "control/server/reactor.hpp"
#include "control/server/tls.hpp"

namespace vdk::control::rest {

/// What a connection waits for.
enum class Phase { handshake, head, body, working, writing, draining, gone };

/// One socket of the reactor, never blocking. Only the reactor's thread touches it.
struct Reactor::Connection {
  Connection(int socket, std::uint64_t number) : fd(socket), id(number) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Bytes that came; 0 = the peer is gone, -1 = nothing now.
  long receive();
  /// Send what is left of the output; false when the peer is gone.
  bool send();
  [[nodiscard]] bool sent() const { return written == output.size(); }
  void send_now(std::string_view bytes);
  /// Nothing more is sent.
  void end_output();
  /// Throw away what comes; false when the peer has closed.
  bool discard();

  void skip_empty_lines();
  void begin_body(Framing&& with, std::chrono::steady_clock::time_point until);
  /// Move body bytes out of the input; true when the body is complete.
  bool take_body();
  void next_request(std::chrono::steady_clock::time_point until);
  [[nodiscard]] std::string_view request_line() const;
  /// Between two requests.
  [[nodiscard]] bool idle() const { return phase == Phase::head && !started && answered; }

  int fd;
  std::unique_ptr<TlsSession> tls;  ///< null = plain text
  std::uint64_t id;
  std::string peer;
  Phase phase = Phase::head;
  std::chrono::steady_clock::time_point deadline;
  std::string input;
  bool greeted = false;     ///< the first byte of a handshake has come
  std::size_t scanned = 0;  ///< of the input, without finding the end of the head
  bool started = false;     ///< the first byte of a request has come
  bool answered = false;    ///< at least one request
  bool express = false;
  bool broken = false;
  Framing framing;
  ChunkDecoder chunks;
  std::string body;
  std::size_t charged = 0;  ///< bytes counted in the reactor's budget
  std::string output;
  std::size_t written = 0;
  bool close_after = false;
};

}  // namespace vdk::control::rest

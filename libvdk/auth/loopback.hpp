// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace vdk::auth {

/// The address on 127.0.0.1 to which a browser comes back. One request for the wanted path is taken; every other one is
/// answered with 404 and does not end the wait.
class Loopback {
 public:
  /// Listens on `port`, 0 = any free one. Error(conflict) when the port is taken.
  explicit Loopback(int port);
  ~Loopback();
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  [[nodiscard]] int port() const noexcept { return m_port; }
  /// Query of the first GET of `path`; nothing when the time is over. No further connection is taken after it.
  [[nodiscard]] std::optional<std::string> wait(const std::string& path, std::chrono::seconds timeout);
  /// The page for the browser that waits.
  void answer(bool success);

 private:
  int m_listener = -1;
  int m_port = 0;
  int m_waiting = -1;
};

}  // namespace vdk::auth

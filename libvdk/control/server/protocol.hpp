// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "control/server/api.hpp"
#include "control/server/reactor.hpp"

namespace vdk::control::rest {

/// A request before routing.
struct RawRequest {
  std::string method;
  std::string target;                                            ///< as it came, percent-encoded
  std::multimap<std::string, std::string, std::less<>> headers;  ///< names in lower case
  std::string body;
  std::string peer;
};

/// HTTP syntax, by cpp-httplib: reads a whole request from memory and writes a whole answer into memory. Thread-safe.
class Protocol {
 public:
  using Handle = std::function<ApiAnswer(RawRequest&)>;
  Protocol(Handle handle, std::chrono::seconds keep_alive);
  ~Protocol();
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  [[nodiscard]] Reply answer(Exchange& exchange);

 private:
  class Engine;
  std::unique_ptr<Engine> m_engine;
};

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#include "control/server/protocol.hpp"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

/// The head of a request to be read, the answer as it is written.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string_view input) : m_input(input) {}

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* ptr, size_t size) override {
    const auto count = std::min(size, m_input.size());
    std::memcpy(ptr, m_input.data(), count);
    m_input.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* ptr, size_t size) override {
    m_output.append(ptr, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

  [[nodiscard]] std::string take() { return std::move(m_output); }

 private:
  std::string_view m_input;
  std::string m_output;
};

void write(ApiAnswer&& answer, httplib::Response& response) {
  response.status = answer.status;
  for (auto& [name, value] : answer.headers) {
    response.set_header(name, value);
  }
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("X-Frame-Options", "DENY");
  response.set_header("Referrer-Policy", "no-referrer");
  if (!response.has_header("Cache-Control")) {
    response.set_header("Cache-Control", "no-store");
  }
  if (!answer.content_type.empty()) {
    response.set_header("Content-Type", answer.content_type);
    response.body = std::move(answer.body);
  }
}

}  // namespace

class Protocol::Engine final : public httplib::Server {
 public:
  Engine(Handle handle, std::chrono::seconds keep_alive) {
    set_pre_routing_handler([handle = std::move(handle)](const httplib::Request& request, httplib::Response& response) {
      RawRequest raw;
      raw.method = request.method;
      raw.target = request.target;
      for (const auto& [name, value] : request.headers) {
        raw.headers.emplace(text::lower(name), value);
      }
      raw.body = request.body;
      raw.peer = request.remote_addr;
      write(handle(raw), response);
      return HandlerResponse::Handled;
    });
    // Reached only for what the library itself refuses, such as a method that HTTP does not have.
    set_error_handler([](const httplib::Request& /*request*/, httplib::Response& response) {
      if (!response.has_header("X-Content-Type-Options")) {
        const bool method = response.status == 400;
        write(error_answer(method ? 405 : response.status,
                           {"The request cannot be served.", "HTTP does not know this method or address",
                            "The request was not executed; nothing has changed.", "Correct the request."}),
              response);
        response.set_header("Allow", "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
      }
    });
    set_keep_alive_timeout(keep_alive.count());
    set_keep_alive_max_count(1'000'000);
  }

  Reply answer(Exchange& exchange) {
    MemoryStream stream(exchange.head);
    Reply reply;
    process_request(stream, false, reply.close, [&](httplib::Request& request) {
      request.body = std::move(exchange.body);
      request.remote_addr = exchange.peer;
    });
    reply.bytes = stream.take();
    return reply;
  }
};

Protocol::Protocol(Handle handle, std::chrono::seconds keep_alive)
    : m_engine(std::make_unique<Engine>(std::move(handle), keep_alive)) {}
Protocol::~Protocol() = default;
Reply Protocol::answer(Exchange& exchange) { return m_engine->answer(exchange); }

}  // namespace vdk::control::rest

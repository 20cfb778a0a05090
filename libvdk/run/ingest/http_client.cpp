// SPDX-License-Identifier: Apache-2.0
#include "run/ingest/http_client.hpp"

#include <chrono>

#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"

namespace vdk::run {
namespace {

http::ClientOptions options() {
  using namespace std::chrono_literals;
  http::ClientOptions options;
  options.connect_timeout = 10s;
  options.total_timeout = 300s;
  return options;
}

}  // namespace

HttpAnswer http_post(const std::string& url, const std::string& body, const std::string& content_type) {
  thread_local const std::unique_ptr<http::Client> client = http::make_client(options());
  try {
    const http::Response response =
        client->send({.method = "POST", .url = url, .headers = {{"Content-Type", content_type}}, .body = body});
    return {.status = response.status, .error = {}};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unreachable && error.kind() != ErrorKind::too_large) {
      throw;
    }
    return {.status = 0, .error = error.text().why};
  }
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>

#include "control/server/page.hpp"
#include "control/server/routes.hpp"
#include "vdk/control/server.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control::rest {
namespace {

constexpr std::string_view k_debug = "/data-jobs/debug/";

ApiAnswer text_answer(std::string text) { return {200, "text/plain; charset=utf-8", std::move(text), {}}; }

ApiAnswer up(bool well) { return json_answer(well ? 200 : 503, well ? R"({"status":"UP"})" : R"({"status":"DOWN"})"); }

ApiAnswer check_health(Service& service, const ApiRequest& /*request*/) {
  try {
    service.check_health();
    return up(true);
  } catch (const std::exception& error) {
    log::error(std::string("The service is not healthy: ") + error.what());
    return up(false);
  }
}

ApiAnswer time_answer(bool millis) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto number = millis ? std::chrono::duration_cast<std::chrono::milliseconds>(now).count()
                             : std::chrono::duration_cast<std::chrono::seconds>(now).count();
  return text_answer(std::to_string(number));
}

ApiAnswer echo(const ApiRequest& request) { return text_answer(request.segments.find("message")->second); }

ApiAnswer swagger(const ApiRequest& /*request*/) {
  return {200,
          "text/html; charset=utf-8",
          "<!DOCTYPE html><html lang=\"en\"><title>REST API</title><h1>REST API</h1><p>The OpenAPI document of this "
          "service is <a href=\"/data-jobs/api-docs\">/data-jobs/api-docs</a>.</p></html>\n",
          {{"Content-Security-Policy", "default-src 'none'"}}};
}

}  // namespace

std::vector<Route> system_routes(const Metrics& metrics, const std::string& api_version) {
  const std::string document = openapi_document(api_version);
  const auto alive = [](const ApiRequest& /*request*/) { return up(true); };
  const auto shared = std::make_shared<SharedText>();
  const auto prometheus = [&metrics, shared](Service& service, const ApiRequest& /*request*/) {
    return ApiAnswer{200,
                     "text/plain; version=0.0.4; charset=utf-8",
                     metrics.text() + shared->get([&] { return job_metrics(service); }),
                     {}};
  };
  return {
      {"GET", "/data-jobs/debug/health", check_health, {}, false},
      {"GET", "/data-jobs/debug/health/readiness", check_health, {}, false},
      {"GET", "/data-jobs/debug/health/liveness", {}, alive, false},
      {"GET", "/data-jobs/debug/prometheus", prometheus, {}, false},
      {"GET", "/data-jobs/debug/servertime", {}, [](const ApiRequest&) { return time_answer(false); }, false},
      {"GET", "/data-jobs/debug/servertime-millis", {}, [](const ApiRequest&) { return time_answer(true); }, false},
      {"GET", "/data-jobs/debug/echo/{message}", {}, echo, false},
      {"GET", "/data-jobs/swagger-ui.html", {}, swagger, false},
      {"GET", "/data-jobs/api-docs", {}, [document](const ApiRequest&) { return json_answer(200, document); }, false}};
}

bool is_express(std::string_view request_line) {
  const auto target = request_line.substr(request_line.find(' ') + 1);
  return target.starts_with(k_debug);
}

}  // namespace vdk::control::rest

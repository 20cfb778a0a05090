// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <thread>

#include "auth/flows.hpp"
#include "vdk/core/error.hpp"

namespace vdk::auth {
namespace {

using Json = nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

struct DeviceCode {
  std::string code;
  LoginEvent shown;
  std::chrono::seconds interval{5};
};

std::string text_of(const Json& body, const char* key) {
  const auto found = body.find(key);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

long long number_of(const Json& body, const char* key, long long fallback) {
  const auto found = body.find(key);
  return found != body.end() && found->is_number() ? found->get<long long>() : fallback;
}

DeviceCode ask_for_code(http::Client& http, const LoginRequest& request) {
  const http::Response response = post_form(
      http, request.endpoints.device,
      {{"scope", request.scope}, {"audience", request.audience}, {"resource", request.resource}}, client_of(request));
  const Json body = Json::parse(response.body, nullptr, false);
  if (response.status != 200 || !body.is_object() || text_of(body, "device_code").empty()) {
    fail_login("the login provider gives no device code (" + read_refusal(response).text() + ")",
               "check --client-id, or log in without --device");
  }
  constexpr long long longest_interval = 60;
  DeviceCode device;
  device.code = text_of(body, "device_code");
  device.shown.kind = LoginEvent::Kind::device_code;
  device.shown.short_url = printable_text(text_of(body, "verification_uri"));
  device.shown.url = printable_text(text_of(body, "verification_uri_complete"));
  if (device.shown.url.empty()) {
    device.shown.url = device.shown.short_url;
  }
  device.shown.user_code = printable_text(text_of(body, "user_code"));
  device.shown.expires_in = std::min<long long>(number_of(body, "expires_in", 300), request.timeout.count());
  device.interval = std::chrono::seconds(std::clamp<long long>(number_of(body, "interval", 5), 1, longest_interval));
  return device;
}

[[noreturn]] void give_up() {
  throw Error(ErrorKind::timeout, {"the login was given up", "the device code has expired before anybody entered it",
                                   "nobody was logged in", "run `vdk login --device` again"});
}

}  // namespace

TokenAnswer login_with_device(http::Client& http, const LoginRequest& request) {
  if (request.endpoints.device.empty()) {
    fail_login("this provider has no device login", "log in without --device");
  }
  DeviceCode device = ask_for_code(http, request);
  tell(request, device.shown);
  tell(request, {});
  const auto end = SteadyClock::now() + std::chrono::seconds(device.shown.expires_in);
  const Form form = {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"}, {"device_code", device.code}};
  while (true) {
    if (SteadyClock::now() + device.interval >= end) {
      std::this_thread::sleep_until(end);
      give_up();
    }
    std::this_thread::sleep_for(device.interval);
    TokenResult result;
    try {
      result = request_token(http, request.endpoints.token, form, client_of(request));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unreachable) {
        throw;
      }
      device.interval *= 2;  // RFC 8628 3.5
      continue;
    }
    if (result.answer) {
      return *result.answer;
    }
    const std::string& error = result.refusal.error;
    if (error == "slow_down") {
      device.interval += std::chrono::seconds(5);
    } else if (error == "expired_token") {
      give_up();
    } else if (error == "access_denied") {
      fail_login("the login was refused at the login provider", "run `vdk login --device` again");
    } else if (error != "authorization_pending") {
      (void)require_tokens(result, "run `vdk login --device` again");
    }
  }
}

}  // namespace vdk::auth

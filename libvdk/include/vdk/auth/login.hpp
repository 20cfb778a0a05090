// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "vdk/auth/credentials.hpp"
#include "vdk/core/http.hpp"

namespace vdk::auth {

/// Where a provider does what. `issuer` is empty when the endpoints were given one by one.
struct Endpoints {
  std::string issuer;
  std::string authorization;
  std::string token;
  std::string device;
  std::string revocation;
  std::string end_session;
  bool secret_in_body = false;  ///< the provider takes client secrets in the body only
};

/// OpenID Connect discovery, or RFC 8414 where that is missing. The document must name the same issuer.
[[nodiscard]] Endpoints discover(const std::string& issuer, const http::ClientOptions& http);

/// Error(usage) unless secrets may be sent to the address: https, or http to this machine.
void require_safe_address(const std::string& url, const std::string& flag);

/// What happens during a login, for a person or for a program that drives it.
struct LoginEvent {
  enum class Kind { url, device_code, waiting };
  Kind kind = Kind::waiting;
  std::string url;           ///< to open; for a device the one with the code in it, when the provider has one
  std::string short_url;     ///< device: to type
  std::string user_code;     ///< device
  bool opened = false;       ///< a browser was started
  long long expires_in = 0;  ///< seconds
};

struct LoginRequest {
  Flow flow = Flow::authorization_code;
  Endpoints endpoints;
  std::string client_id;
  std::string client_secret;
  std::string scope;
  std::string audience;
  std::string resource;
  std::string token;  ///< api_token and given_token
  bool open_browser = true;
  int port = 0;                             ///< of the loopback address; 0 = any free one
  std::string redirect_path = "/callback";  ///< the original's is empty
  std::chrono::seconds timeout{300};
  http::ClientOptions http;
  std::function<void(const LoginEvent&)> on_event;
};

/// Log in; nothing is stored. Errors: login (refused), timeout, unreachable, conflict (port taken), usage.
[[nodiscard]] Credentials login(const LoginRequest& request);

/// Tell the provider that the tokens are not wanted any more. False when it has no way to be told, or the tokens were
/// not ours to revoke (an API token, a token that was handed in).
bool revoke(const Credentials& credentials, const http::ClientOptions& http);

}  // namespace vdk::auth

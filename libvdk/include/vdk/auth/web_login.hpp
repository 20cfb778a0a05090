// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/auth/login.hpp"

/// The server's half of a login in a web page: authorization code with PKCE. Of LoginRequest it uses the endpoints, the
/// client, scope, audience, resource and http.
namespace vdk::auth {

/// One person on the way to the provider and back. All three are secrets of that browser.
struct WebAttempt {
  std::string state;
  std::string nonce;  ///< comes back in the ID token
  std::string verifier;
};
[[nodiscard]] WebAttempt begin_web_login();
/// Where the browser is sent.
[[nodiscard]] std::string authorization_url(const LoginRequest& request, const std::string& redirect,
                                            const WebAttempt& attempt);

struct WebTokens {
  std::string access;
  std::string refresh;  ///< empty when the login cannot be renewed
  std::string id;
  double expires_at = 0;  ///< of the access token, seconds since the epoch
  double lifetime = 0;
};
/// What the browser brought back in its query. Error(login) for a wrong state, another provider or a refusal,
/// Error(unreachable) when the provider does not answer. The tokens are not verified.
[[nodiscard]] WebTokens redeem_code(const LoginRequest& request, const std::string& redirect, const std::string& query,
                                    const WebAttempt& attempt);
/// The next tokens; what the provider does not replace stays. The same errors.
[[nodiscard]] WebTokens renew_web_login(const LoginRequest& request, const WebTokens& tokens);

}  // namespace vdk::auth

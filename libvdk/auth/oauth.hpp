// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vdk/auth/credentials.hpp"
#include "vdk/core/http.hpp"

/// The words of OAuth2 on the wire.
namespace vdk::auth {

using Form = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] std::string decode_base64url(std::string_view text);
/// S256 of RFC 7636.
[[nodiscard]] std::string code_challenge(const std::string& verifier);
/// Text of somebody else for a terminal: no control characters, not too long.
[[nodiscard]] std::string printable_text(std::string_view text);
/// Fields with a value, form-encoded.
[[nodiscard]] std::string encode_form(const Form& form);
/// Value of a field in a query; nothing when it is missing.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// Who asks. No id: the request goes out without one, as the original's API token exchange.
struct Client {
  std::string id;
  std::string secret;
  bool secret_in_body = false;
};

/// An answer of a token endpoint.
struct TokenAnswer {
  std::string access_token;
  std::string refresh_token;
  std::string id_token;
  double expires_at = 0;
  double lifetime = 0;
};

/// What a provider answered instead of tokens.
struct Refusal {
  int status = 0;
  std::string error;  ///< invalid_grant, authorization_pending ... or empty
  std::string description;
  [[nodiscard]] std::string text() const;
};

struct TokenResult {
  std::optional<TokenAnswer> answer;
  Refusal refusal;
};

/// Options for requests that carry secrets: short waits, few attempts, no redirects.
[[nodiscard]] http::ClientOptions provider_options(http::ClientOptions options);
/// POST a form. Throws Error(unreachable) without an answer and for status 5xx and 429.
[[nodiscard]] http::Response post_form(http::Client& http, const std::string& url, Form form, const Client& client);
[[nodiscard]] TokenResult request_token(http::Client& http, const std::string& url, const Form& form,
                                        const Client& client);
[[nodiscard]] Refusal read_refusal(const http::Response& response);
/// Access token, its time, a rotated refresh token: into the credentials.
void take(const TokenAnswer& answer, Credentials& credentials);
[[nodiscard]] double seconds_now();

/// Start a browser; false when there is none to start.
[[nodiscard]] bool open_browser(const std::string& url);

}  // namespace vdk::auth

// SPDX-License-Identifier: Apache-2.0
#include "auth/oauth.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "vdk/auth/login.hpp"
#include "vdk/config/secrets.hpp"
#include "vdk/core/base64.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::auth {
namespace {

using Json = nlohmann::json;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string bytes_of_hex(const std::string& hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>((digit(hex[i]) << 4U) | digit(hex[i + 1]));
  }
  return bytes;
}

std::string string_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// expires_in is a number, which some providers send as text; else the token itself may know.
double lifetime_of(const Json& body, const std::string& token) {
  constexpr double unknown = 3600;
  if (const auto found = body.find("expires_in"); found != body.end()) {
    if (found->is_number()) {
      return found->get<double>();
    }
    if (found->is_string()) {
      return static_cast<double>(text::parse_int(found->get<std::string>()).value_or(0));
    }
  }
  const auto expiry = expiry_of_token(token);
  return expiry ? *expiry - seconds_now() : unknown;
}

std::string address_of(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

std::string host_of(const std::string& url) {
  const std::size_t start = url.find("://") + 3;
  std::string host = url.substr(start, url.find_first_of("/?#", start) - start);
  if (const std::size_t at = host.rfind('@'); at != std::string::npos) {
    host.erase(0, at + 1);
  }
  if (host.starts_with('[')) {
    return text::lower(host.substr(0, host.find(']') + 1));
  }
  return text::lower(host.substr(0, host.find(':')));
}

}  // namespace

std::string decode_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : text) {
    c = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) {
      break;
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 255U);
    }
  }
  return out;
}

std::string code_challenge(const std::string& verifier) {
  std::string encoded = base64::encode(bytes_of_hex(sha256_hex(verifier)));
  while (encoded.ends_with('=')) {
    encoded.pop_back();
  }
  return text::replace_all(text::replace_all(encoded, "+", "-"), "/", "_");
}

std::string printable_text(std::string_view text) {
  constexpr std::size_t longest = 300;
  std::string out;
  for (const char c : text.substr(0, longest)) {
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  }
  while (!text::is_valid_utf8(out)) {
    out.pop_back();
  }
  return out;
}

std::string encode_form(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!value.empty()) {
      out += (out.empty() ? "" : "&") + http::encode(name) + "=" + http::encode(value);
    }
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  const auto decode = [](std::string_view encoded) {
    std::string out;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      const bool escape = encoded[i] == '%' && i + 2 < encoded.size() && std::isxdigit(encoded[i + 1]) != 0 &&
                          std::isxdigit(encoded[i + 2]) != 0;
      if (escape) {
        out += bytes_of_hex(text::lower(encoded.substr(i + 1, 2)));
        i += 2;
      } else {
        out += encoded[i] == '+' ? ' ' : encoded[i];
      }
    }
    return out;
  };
  for (const std::string& part : text::split(query, '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    if (decode(part.substr(0, equals)) == name) {
      return decode(std::string_view(part).substr(std::min(equals + 1, part.size())));
    }
  }
  return std::nullopt;
}

std::string Refusal::text() const {
  std::string out = error.empty() ? "status " + std::to_string(status) : error;
  return description.empty() ? out : out + ": " + description;
}

http::ClientOptions provider_options(http::ClientOptions options) {
  options.connect_timeout = std::min<std::chrono::milliseconds>(options.connect_timeout, std::chrono::seconds(10));
  options.total_timeout = std::chrono::seconds(20);
  // A refresh token may be good for one request: nothing that was sent is sent again.
  options.total_retries = 2;
  options.connect_retries = 2;
  options.read_retries = 0;
  options.backoff_seconds = 0.25;
  options.retry_statuses.clear();
  options.follow_redirects = false;
  options.max_body = 1024UL * 1024;
  options.on_retry = nullptr;
  return options;
}

void require_safe_address(const std::string& url, const std::string& flag) {
  const std::string lower = text::lower(url);
  const bool plain = lower.starts_with("http://");
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::usage, {"invalid value for '" + flag + "'", why, "nothing was sent",
                                   "give an address that starts with https://"});
  };
  if (!plain && !lower.starts_with("https://")) {
    refuse("'" + config::mask_addresses(printable_text(address_of(url))) + "' does not start with https://");
  }
  const std::string host = host_of(url);
  if (host.empty() || url.find_first_of(" \t\r\n\"<>\\") != std::string::npos) {
    refuse("it is no address");
  }
  const std::size_t authority = url.find("://") + 3;
  if (url.substr(authority, url.find_first_of("/?#", authority) - authority).find('@') != std::string::npos) {
    refuse("it contains a user name or a password, which would be stored and shown with it");
  }
  if (plain && !http::is_loopback(host)) {
    refuse("secrets would travel to '" + printable_text(host) + "' in clear text");
  }
}

Refusal read_refusal(const http::Response& response) {
  const Json body = Json::parse(response.body, nullptr, false);
  return {response.status, printable_text(string_of(body, "error")),
          printable_text(string_of(body, "error_description"))};
}

http::Response post_form(http::Client& http, const std::string& url, Form form, const Client& client) {
  http::Request request{.method = "POST", .url = url, .headers = {}, .body = {}};
  request.headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  if (!client.secret.empty() && !client.secret_in_body) {
    const std::string login = http::encode(client.id) + ":" + http::encode(client.secret);
    request.headers.emplace_back("Authorization", "Basic " + base64::encode(login));
  } else {
    form.emplace_back("client_id", client.id);
    form.emplace_back("client_secret", client.secret);
  }
  request.body = encode_form(form);
  http::Response response = http.send(request);
  if (response.status >= 500 || response.status == 429) {
    throw Error(ErrorKind::unreachable, {"the login provider cannot answer now",
                                         address_of(url) + " answered with status " + std::to_string(response.status),
                                         "no token was received", "try again later"});
  }
  return response;
}

TokenResult request_token(http::Client& http, const std::string& url, const Form& form, const Client& client) {
  const http::Response response = post_form(http, url, form, client);
  TokenResult result;
  if (response.status != 200) {
    result.refusal = read_refusal(response);
    return result;
  }
  const Json body = Json::parse(response.body, nullptr, false);
  TokenAnswer answer;
  answer.access_token = string_of(body, "access_token");
  if (answer.access_token.empty() || answer.access_token.find_first_of("\r\n ") != std::string::npos) {
    result.refusal = {response.status, "", address_of(url) + " sent no access token"};
    return result;
  }
  answer.refresh_token = string_of(body, "refresh_token");
  answer.id_token = string_of(body, "id_token");
  answer.lifetime = lifetime_of(body, answer.access_token);
  answer.expires_at = seconds_now() + answer.lifetime;
  result.answer = std::move(answer);
  return result;
}

void take(const TokenAnswer& answer, Credentials& credentials) {
  credentials.access_token = answer.access_token;
  credentials.access_token_expiration_time = answer.expires_at;
  credentials.lifetime = answer.lifetime;
  credentials.expiry_known = true;
  if (!answer.refresh_token.empty()) {
    (credentials.auth_type == "api-token" ? credentials.api_token : credentials.refresh_token) = answer.refresh_token;
  }
  for (const std::string& token : {answer.id_token, answer.access_token}) {
    if (const std::string user = user_of_token(token); !user.empty()) {
      credentials.user = user;
    }
  }
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace vdk::auth

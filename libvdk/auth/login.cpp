// SPDX-License-Identifier: Apache-2.0
#include "vdk/auth/login.hpp"

#include <nlohmann/json.hpp>

#include "auth/flows.hpp"
#include "auth/loopback.hpp"
#include "vdk/auth/web_login.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::auth {
namespace {

using Json = nlohmann::json;

std::string without_slash(std::string url) {
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

/// The metadata document; nothing when the provider has none there.
std::optional<Json> fetch_metadata(http::Client& http, const std::string& url) {
  const http::Response response =
      http.send({.method = "GET", .url = url, .headers = {{"Accept", "application/json"}}, .body = {}});
  Json body = Json::parse(response.body, nullptr, false);
  return response.status == 200 && body.is_object() ? std::optional(std::move(body)) : std::nullopt;
}

[[noreturn]] void fail_discovery(const std::string& issuer, const std::string& why) {
  throw Error(ErrorKind::configuration,
              {"cannot use the login provider '" + printable_text(issuer) + "'", why, "nobody was logged in",
               "check the address given with --issuer, or give --oauth2-discovery-url and --oauth2-exchange-url"});
}

std::string endpoint(const Json& metadata, const char* key) {
  const auto found = metadata.find(key);
  std::string url = found != metadata.end() && found->is_string() ? found->get<std::string>() : "";
  if (!url.empty()) {
    require_safe_address(url, std::string(key) + " of the login provider");
  }
  return url;
}

bool wants_secret_in_body(const Json& metadata) {
  const auto found = metadata.find("token_endpoint_auth_methods_supported");
  if (found == metadata.end() || !found->is_array()) {
    return false;
  }
  const auto has = [&](const char* method) { return std::find(found->begin(), found->end(), method) != found->end(); };
  return has("client_secret_post") && !has("client_secret_basic");
}

std::string authorization_address(const LoginRequest& request, const std::string& redirect, const WebAttempt& attempt) {
  const bool offline = (" " + request.scope + " ").find(" offline_access ") != std::string::npos;
  std::string prompt = request.endpoints.issuer.empty() ? "login" : "";  // as the original asks
  if (offline) {
    prompt += prompt.empty() ? "consent" : " consent";  // no refresh token without it (OpenID Connect 11)
  }
  const std::string& base = request.endpoints.authorization;
  return base + (base.find('?') == std::string::npos ? "?" : "&") +
         encode_form({{"response_type", "code"},
                      {"client_id", request.client_id},
                      {"redirect_uri", redirect},
                      {"scope", request.scope},
                      {"state", attempt.state},
                      {"nonce", attempt.nonce},
                      {"code_challenge", code_challenge(attempt.verifier)},
                      {"code_challenge_method", "S256"},
                      {"prompt", prompt},
                      {"audience", request.audience},
                      {"resource", request.resource}});
}

/// The code of the browser's request, after everything about it is checked.
std::string code_of(const std::string& query, const LoginRequest& request, const std::string& state) {
  if (query_value(query, "state") != state) {
    fail_login("the browser came back with another state than it was sent away with",
               "run `vdk login` again; if it happens again, another program answers in place of your browser");
  }
  if (const auto error = query_value(query, "error")) {
    fail_login("the login provider says " + printable_text(*error) + ": " +
                   printable_text(query_value(query, "error_description").value_or("no reason given")),
               "run `vdk login` again");
  }
  const auto issuer = query_value(query, "iss");
  if (issuer && !request.endpoints.issuer.empty() && *issuer != request.endpoints.issuer) {
    fail_login("the answer comes from another provider: " + printable_text(*issuer), "check --issuer");
  }
  const std::string code = query_value(query, "code").value_or("");
  if (code.empty()) {
    fail_login("the browser came back without a code", "run `vdk login` again");
  }
  return code;
}

TokenAnswer redeem(http::Client& http, const LoginRequest& request, const std::string& redirect,
                   const std::string& query, const WebAttempt& attempt) {
  const std::string code = code_of(query, request, attempt.state);
  return require_tokens(request_token(http, request.endpoints.token,
                                      {{"grant_type", "authorization_code"},
                                       {"code", code},
                                       {"redirect_uri", redirect},
                                       {"code_verifier", attempt.verifier},
                                       {"resource", request.resource}},
                                      client_of(request)),
                        "run `vdk login` again");
}

TokenAnswer login_with_browser(http::Client& http, const LoginRequest& request) {
  const WebAttempt attempt{.state = random_hex(24), .nonce = {}, .verifier = random_hex(32)};
  Loopback loopback(request.port);
  const std::string redirect = "http://127.0.0.1:" + std::to_string(loopback.port()) + request.redirect_path;
  const std::string url = authorization_address(request, redirect, attempt);
  const bool opened = request.open_browser && open_browser(url);
  tell(request, {.kind = LoginEvent::Kind::url,
                 .url = url,
                 .short_url = {},
                 .user_code = {},
                 .opened = opened,
                 .expires_in = request.timeout.count()});
  tell(request, {});
  const auto query = loopback.wait(request.redirect_path.empty() ? "/" : request.redirect_path, request.timeout);
  if (!query) {
    throw Error(ErrorKind::timeout,
                {"the login was given up", "nobody logged in within " + std::to_string(request.timeout.count()) + " s",
                 "nobody was logged in", "run `vdk login` again; --device needs no browser on this machine"});
  }
  try {
    const TokenAnswer answer = redeem(http, request, redirect, *query, attempt);
    loopback.answer(true);
    return answer;
  } catch (const Error&) {
    loopback.answer(false);
    throw;
  }
}

WebTokens web_tokens(const TokenAnswer& answer) {
  return {.access = answer.access_token,
          .refresh = answer.refresh_token,
          .id = answer.id_token,
          .expires_at = answer.expires_at,
          .lifetime = answer.lifetime};
}

Credentials given_token(const LoginRequest& request) {
  Credentials credentials;
  credentials.flow = to_string(Flow::given_token);
  credentials.access_token = request.token;
  const auto expiry = expiry_of_token(request.token);
  constexpr double no_end = 253402300799;  // the last second that a date can show
  credentials.expiry_known = expiry.has_value();
  credentials.access_token_expiration_time = expiry.value_or(no_end);
  credentials.user = user_of_token(request.token);
  if (expiry && *expiry <= seconds_now()) {
    fail_login("the token has expired already", "give a token that is valid");
  }
  return credentials;
}

Credentials credentials_for(const LoginRequest& request) {
  Credentials credentials;
  credentials.flow = to_string(request.flow);
  credentials.client_id = request.client_id;
  credentials.client_secret = request.client_secret;
  credentials.secret_in_body = request.endpoints.secret_in_body;
  credentials.issuer = request.endpoints.issuer;
  credentials.revocation_url = request.endpoints.revocation;
  credentials.scope = request.scope;
  credentials.audience = request.audience;
  credentials.resource = request.resource;
  if (request.flow == Flow::api_token) {
    credentials.auth_type = "api-token";
    credentials.api_token = request.token;
    credentials.api_token_authorization_url = request.endpoints.token;
  } else {
    credentials.auth_type = "credentials";
    credentials.authorization_url = request.endpoints.token;
  }
  return credentials;
}

TokenAnswer answer_of(http::Client& http, const LoginRequest& request) {
  switch (request.flow) {
    case Flow::api_token:
      return require_tokens(
          request_token(http, request.endpoints.token,
                        {{"grant_type", "refresh_token"}, {"refresh_token", request.token}}, client_of(request)),
          "check the token given with --api-token or --api-token-stdin and the address given with "
          "--api-token-authorization-url");
    case Flow::client_credentials:
      return require_tokens(request_token(http, request.endpoints.token,
                                          {{"grant_type", "client_credentials"},
                                           {"scope", request.scope},
                                           {"audience", request.audience},
                                           {"resource", request.resource}},
                                          client_of(request)),
                            "check --client-id and the secret");
    case Flow::device_code:
      return login_with_device(http, request);
    default:
      return login_with_browser(http, request);
  }
}

}  // namespace

void fail_login(const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::login,
              {"Failed to login", why, "nobody was logged in; an earlier login stays as it was", countermeasures});
}

TokenAnswer require_tokens(const TokenResult& result, const std::string& countermeasures) {
  if (!result.answer) {
    fail_login("the login provider refused (" + result.refusal.text() + ")", countermeasures);
  }
  return *result.answer;
}

void tell(const LoginRequest& request, const LoginEvent& event) {
  if (request.on_event) {
    request.on_event(event);
  }
}

Client client_of(const LoginRequest& request) {
  return {request.client_id, request.client_secret, request.endpoints.secret_in_body};
}

Endpoints discover(const std::string& issuer, const http::ClientOptions& http) {
  require_safe_address(issuer, "--issuer");
  const auto client = http::make_client(provider_options(http));
  const std::string base = without_slash(issuer);
  auto metadata = fetch_metadata(*client, base + "/.well-known/openid-configuration");
  if (!metadata) {
    const std::size_t path = std::min(base.find('/', base.find("://") + 3), base.size());
    metadata =
        fetch_metadata(*client, base.substr(0, path) + "/.well-known/oauth-authorization-server" + base.substr(path));
  }
  if (!metadata) {
    fail_discovery(issuer, "it has no document at " + base + "/.well-known/openid-configuration");
  }
  const auto named = metadata->find("issuer");
  const std::string name = named != metadata->end() && named->is_string() ? named->get<std::string>() : "";
  if (without_slash(name) != base) {
    fail_discovery(issuer, "its document is that of another issuer: '" + printable_text(name) + "'");
  }
  Endpoints endpoints{.issuer = name,
                      .authorization = endpoint(*metadata, "authorization_endpoint"),
                      .token = endpoint(*metadata, "token_endpoint"),
                      .device = endpoint(*metadata, "device_authorization_endpoint"),
                      .revocation = endpoint(*metadata, "revocation_endpoint"),
                      .end_session = endpoint(*metadata, "end_session_endpoint"),
                      .secret_in_body = wants_secret_in_body(*metadata)};
  if (endpoints.token.empty()) {
    fail_discovery(issuer, "its document names no token endpoint");
  }
  return endpoints;
}

WebAttempt begin_web_login() { return {.state = random_hex(24), .nonce = random_hex(24), .verifier = random_hex(32)}; }

std::string authorization_url(const LoginRequest& request, const std::string& redirect, const WebAttempt& attempt) {
  return authorization_address(request, redirect, attempt);
}

WebTokens redeem_code(const LoginRequest& request, const std::string& redirect, const std::string& query,
                      const WebAttempt& attempt) {
  const auto http = http::make_client(provider_options(request.http));
  return web_tokens(redeem(*http, request, redirect, query, attempt));
}

WebTokens renew_web_login(const LoginRequest& request, const WebTokens& tokens) {
  const auto http = http::make_client(provider_options(request.http));
  const TokenResult result =
      request_token(*http, request.endpoints.token,
                    {{"grant_type", "refresh_token"}, {"refresh_token", tokens.refresh}}, client_of(request));
  WebTokens renewed = web_tokens(require_tokens(result, "log in again"));
  if (renewed.refresh.empty()) {
    renewed.refresh = tokens.refresh;
  }
  if (renewed.id.empty()) {
    renewed.id = tokens.id;
  }
  return renewed;
}

Credentials login(const LoginRequest& request) {
  protect_memory();
  if (request.flow == Flow::given_token) {
    return given_token(request);
  }
  const auto http = http::make_client(provider_options(request.http));
  Credentials credentials = credentials_for(request);
  take(answer_of(*http, request), credentials);
  return credentials;
}

bool revoke(const Credentials& credentials, const http::ClientOptions& http) {
  if (credentials.revocation_url.empty() || credentials.auth_type != "credentials") {
    return false;
  }
  const auto client = http::make_client(provider_options(http));
  const Client self{credentials.client_id, credentials.client_secret, credentials.secret_in_body};
  const std::pair<const char*, const std::string&> tokens[] = {{"refresh_token", credentials.refresh_token},
                                                               {"access_token", credentials.access_token}};
  bool told = false;
  for (const auto& [kind, token] : tokens) {
    if (!token.empty()) {
      const http::Response response =
          post_form(*client, credentials.revocation_url, {{"token", token}, {"token_type_hint", kind}}, self);
      // Access tokens that are JWTs cannot be revoked everywhere; their time is short.
      told = told || response.status == 200;
    }
  }
  return told;
}

}  // namespace vdk::auth

// SPDX-License-Identifier: Apache-2.0
#include "vdk/auth/token_source.hpp"

#include <unistd.h>

#include <array>

#include "auth/oauth.hpp"
#include "vdk/auth/login.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::auth {
namespace {

[[noreturn]] void fail_given(const std::string& variable, const std::string& why) {
  throw Error(ErrorKind::configuration, {"cannot use the token of " + variable, why, "nothing was sent",
                                         "correct " + variable + ", or unset it to use the stored login"});
}

/// A token is one line of visible characters.
std::string checked(const std::string& variable, std::string_view content) {
  std::string token(text::trim(content));
  if (token.empty()) {
    fail_given(variable, "it is empty");
  }
  for (const char c : token) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) {
      fail_given(variable, "it contains a space, a line end or another character that no token has");
    }
  }
  return token;
}

std::string read_descriptor(const std::string& number) {
  constexpr std::size_t longest = 65536;
  const auto fd = text::parse_int(number);
  std::string content;
  std::array<char, 4096> buffer{};
  while (fd && *fd >= 0 && content.size() < longest) {
    const ssize_t count = ::read(static_cast<int>(*fd), buffer.data(), buffer.size());
    if (count < 0) {
      fail_given("VDK_ACCESS_TOKEN_FD", "descriptor " + number + " cannot be read");
    }
    if (count == 0) {
      ::close(static_cast<int>(*fd));
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  fail_given("VDK_ACCESS_TOKEN_FD", fd ? "it gives more than a token" : "it is no number of a descriptor");
}

std::string variable(const char* name) { return process::environment(name).value_or(""); }

[[noreturn]] void fail_over(const std::string& why, const std::optional<Credentials>& credentials) {
  throw Error(ErrorKind::login,
              {"the login is over", why, "nothing was sent", "run `" + TokenSource::login_command(credentials) + "`"});
}

}  // namespace

TokenSource::TokenSource(TokenSourceOptions options) : m_options(std::move(options)) {}

std::optional<GivenToken> TokenSource::given() {
  if (m_given_once) {
    return m_given_once;
  }
  if (const std::string token = variable("VDK_ACCESS_TOKEN"); !token.empty()) {
    m_given_once = {checked("VDK_ACCESS_TOKEN", token), "VDK_ACCESS_TOKEN"};
  } else if (const std::string number = variable("VDK_ACCESS_TOKEN_FD"); !number.empty()) {
    m_given_once = {checked("VDK_ACCESS_TOKEN_FD", read_descriptor(number)), "VDK_ACCESS_TOKEN_FD"};
  } else if (const std::string path = variable("VDK_ACCESS_TOKEN_FILE"); !path.empty()) {
    const auto content = files::read_if_exists(path);
    if (!content) {
      fail_given("VDK_ACCESS_TOKEN_FILE", "there is no file '" + path + "'");
    }
    return GivenToken{checked("VDK_ACCESS_TOKEN_FILE", *content), "VDK_ACCESS_TOKEN_FILE"};
  }
  return m_given_once;
}

bool TokenSource::alive(const Credentials& credentials) const {
  const double now = static_cast<double>(to_unix_micros(m_options.clock->now())) / 1e6;
  return !credentials.access_token.empty() && credentials.access_token_expiration_time > now;
}

/// Renewed 60 s before the end, tokens that live less than two minutes at half their time.
bool TokenSource::fresh(const Credentials& credentials) const {
  constexpr double early = 60;
  const double now = static_cast<double>(to_unix_micros(m_options.clock->now())) / 1e6;
  const double lead = credentials.lifetime > 0 ? std::min(early, credentials.lifetime / 2) : early;
  return !credentials.access_token.empty() && credentials.access_token_expiration_time > now + lead;
}

bool TokenSource::renewable(const Credentials& credentials) const {
  if (credentials.auth_type == "api-token") {
    return !credentials.api_token.empty() && !credentials.api_token_authorization_url.empty();
  }
  const bool machine = credentials.flow == to_string(Flow::client_credentials) && !credentials.client_secret.empty();
  return credentials.auth_type == "credentials" && !credentials.authorization_url.empty() &&
         (machine || !credentials.refresh_token.empty());
}

Credentials TokenSource::from_environment() const {
  Credentials credentials;
  credentials.flow = to_string(Flow::api_token);
  credentials.auth_type = "api-token";
  credentials.api_token = m_options.api_token;
  credentials.api_token_authorization_url = m_options.api_token_authorization_url;
  credentials.environment_digest = sha256_hex(m_options.api_token + "\n" + m_options.api_token_authorization_url);
  return credentials;
}

/// What was exchanged for an API token of the environment is of no use once that has changed.
bool TokenSource::matches_environment(const Credentials& credentials) const {
  return credentials.environment_digest.empty() || m_options.api_token.empty() ||
         credentials.environment_digest == from_environment().environment_digest;
}

std::string TokenSource::token() {
  const std::lock_guard lock(m_mutex);
  protect_memory();
  if (const auto token = given()) {
    return token->value;
  }
  if (m_cached && fresh(*m_cached)) {
    return m_cached->access_token;
  }
  auto stored = m_options.file.load();
  if (stored && fresh(*stored) && matches_environment(*stored)) {
    m_cached = std::move(stored);
    return m_cached->access_token;
  }
  const bool environment = !m_options.api_token.empty() && !m_options.api_token_authorization_url.empty();
  if ((stored && renewable(*stored)) || environment) {
    return renew({});
  }
  return without_renewal(stored);
}

std::string TokenSource::without_renewal(const std::optional<Credentials>& credentials) {
  if (!credentials || credentials->access_token.empty()) {
    return {};  // a service without login works without one
  }
  if (!alive(*credentials)) {
    fail_over("the access token has expired and this login cannot be renewed", credentials);
  }
  return credentials->access_token;
}

std::string TokenSource::renew(const std::string& refused) {
  files::make_private_directory(m_options.file.path().parent_path());
  const auto lock = files::FileLock::acquire(m_options.file.lock_path());
  auto stored = m_options.file.load();  // another process may have renewed it meanwhile
  const bool usable = stored && matches_environment(*stored);
  if (usable && fresh(*stored) && stored->access_token != refused) {
    m_cached = stored;
    return stored->access_token;
  }
  const bool environment = !m_options.api_token.empty() && !m_options.api_token_authorization_url.empty();
  if (!(usable && renewable(*stored)) && !environment) {
    return without_renewal(stored);  // somebody has logged out
  }
  Credentials credentials = usable && renewable(*stored) ? *stored : from_environment();
  const bool api_token = credentials.auth_type == "api-token";
  const bool machine = credentials.flow == to_string(Flow::client_credentials);
  Form form = {{"grant_type", "refresh_token"},
               {"refresh_token", api_token ? credentials.api_token : credentials.refresh_token}};
  if (machine) {
    form = {{"grant_type", "client_credentials"}, {"scope", credentials.scope}, {"audience", credentials.audience}};
  }
  form.emplace_back("resource", credentials.resource);
  const std::string& url = api_token ? credentials.api_token_authorization_url : credentials.authorization_url;
  require_safe_address(url, "the token address of the login");
  TokenResult result;
  try {
    const auto http = http::make_client(provider_options(m_options.http));
    result =
        request_token(*http, url, form, {credentials.client_id, credentials.client_secret, credentials.secret_in_body});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unreachable && refused.empty() && usable && alive(*stored)) {
      log::debug("the login cannot be renewed now (" + error.text().why + "); the token is still valid");
      return stored->access_token;
    }
    throw;
  }
  if (!result.answer) {
    fail_over("the login provider refused to renew it (" + result.refusal.text() + ")", credentials);
  }
  take(*result.answer, credentials);
  const std::string digest = credentials.environment_digest;
  if (!digest.empty() && digest == from_environment().environment_digest &&
      credentials.api_token == m_options.api_token) {
    Credentials kept = credentials;
    kept.api_token.clear();  // it stays where it was: in the environment
    m_options.file.save(kept);
  } else {
    m_options.file.save(credentials);
  }
  m_cached = std::move(credentials);
  return m_cached->access_token;
}

std::optional<std::string> TokenSource::replace(const std::string& refused) {
  const std::lock_guard lock(m_mutex);
  if (const auto token = given()) {
    return token->value != refused ? std::optional(token->value) : std::nullopt;
  }
  m_cached.reset();
  const auto stored = m_options.file.load();
  const bool environment = !m_options.api_token.empty() && !m_options.api_token_authorization_url.empty();
  if (refused.empty() || (!(stored && renewable(*stored)) && !environment)) {
    return std::nullopt;
  }
  std::string token = renew(refused);
  return token.empty() || token == refused ? std::nullopt : std::optional(std::move(token));
}

std::string TokenSource::login_command(const std::optional<Credentials>& credentials) {
  if (!credentials || credentials->issuer.empty()) {
    return credentials && credentials->auth_type == "api-token"
               ? "vdk login --api-token-authorization-url " + credentials->api_token_authorization_url
               : "vdk login";
  }
  std::string command = "vdk login --issuer " + credentials->issuer;
  if (credentials->flow == to_string(Flow::client_credentials)) {
    return command + " --auth-type client-credentials --client-id " + credentials->client_id + " --client-secret-stdin";
  }
  if (credentials->client_id != "vdk-cli") {
    command += " --client-id " + credentials->client_id;
  }
  return command + (credentials->flow == to_string(Flow::device_code) ? " --device" : "");
}

}  // namespace vdk::auth

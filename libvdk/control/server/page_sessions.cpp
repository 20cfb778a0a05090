// SPDX-License-Identifier: Apache-2.0
// Cookies and sessions of the operations page.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "control/server/page_login.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr auto k_renewal = 15s;  ///< that a renewal may take
constexpr auto k_patience = 5s;  ///< of requests that meet one
constexpr auto k_fresh = 600s;   ///< endpoints of the provider

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool is_alive(const auth::WebTokens& tokens) { return seconds_now() < tokens.expires_at; }

/// Renewed a little early, short tokens at half their time.
bool is_due(const auth::WebTokens& tokens) {
  constexpr double early = 60;
  return !tokens.refresh.empty() && seconds_now() > tokens.expires_at - std::min(early, tokens.lifetime / 2);
}

LoginRefusal over(const std::string& why) { return {401, why, false}; }

bool is_here(const std::string& host) {
  return http::is_loopback(host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':')));
}

}  // namespace

std::string PageLogin::Session::text() const {
  return Json{{"user", user},
              {"access", tokens.access},
              {"refresh", tokens.refresh},
              {"id", by_id_token ? tokens.id : ""},
              {"expires_at", tokens.expires_at},
              {"lifetime", tokens.lifetime},
              {"by_id_token", by_id_token}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<PageLogin::Session> PageLogin::find(const std::string& id) {
  const auto text = m_sessions->find(id);
  if (!text) {
    return std::nullopt;
  }
  const Json json = Json::parse(*text);
  return Session{.user = json.at("user"),
                 .tokens = {.access = json.at("access"),
                            .refresh = json.at("refresh"),
                            .id = json.at("id"),
                            .expires_at = json.at("expires_at"),
                            .lifetime = json.at("lifetime")},
                 .by_id_token = json.at("by_id_token")};
}

PageLogin::Person PageLogin::person(const Session& session, const Authenticator& login) const {
  return {session.by_id_token ? login.check_id_token(session.tokens.id, m_options.client_id)
                              : login.check_token(session.tokens.access),
          session.tokens.access};
}

std::optional<PageLogin::Person> PageLogin::who(const Browser& browser, const Authenticator& login) {
  // Another site may make a browser ask, and learn from how long it takes.
  const bool foreign =
      !browser.fetch_site.empty() && browser.fetch_site != "same-origin" && browser.fetch_site != "none";
  const std::string id = offered() && !foreign ? session_id(browser) : "";
  if (id.empty()) {
    return std::nullopt;
  }
  auto session = find(id);
  if (!session) {
    throw over("the login at the page is over");
  }
  bool fresh = is_due(session->tokens);
  if (fresh) {
    session = renewed(id, *session);
  }
  for (;;) {
    try {
      return person(*session, login);
    } catch (const LoginRefusal& refusal) {
      if (refusal.status != 401) {
        throw;
      }
      if (fresh || session->tokens.refresh.empty()) {
        m_sessions->erase(id);  // the provider is not asked for each request
        throw over(refusal.why);
      }
    }
    session = renewed(id, *session);  // the provider may have other keys by now
    fresh = true;
  }
}

PageLogin::Session PageLogin::renewed(const std::string& id, const Session& session) {
  if (!m_sessions->claim(id, k_renewal)) {
    return renewed_elsewhere(id, session);
  }
  const auto present = find(id);
  if (!present) {
    throw over("the login at the page is over");
  }
  if (present->tokens.access != session.tokens.access) {
    m_sessions->update(id, present->text());
    return *present;
  }
  try {
    Session next = session;
    next.tokens = at_provider([&] { return auth::renew_web_login(provider(), session.tokens); });
    m_sessions->update(id, next.text());
    return next;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::login) {
      log::info("the login of " + session.user + " at the operations page is over: " + error.text().why);
      m_sessions->erase(id);
      throw over("the login provider does not renew the login");
    }
  } catch (const LoginRefusal&) {
    // The provider is busy.
  }
  if (is_alive(session.tokens)) {
    return session;
  }
  throw LoginRefusal{503, "the login provider cannot be asked at the moment", true};
}

PageLogin::Session PageLogin::renewed_elsewhere(const std::string& id, const Session& session) {
  if (is_alive(session.tokens)) {
    return session;
  }
  const auto end = std::chrono::steady_clock::now() + k_patience;
  while (std::chrono::steady_clock::now() < end && !m_stop) {
    std::this_thread::sleep_for(100ms);
    const auto present = find(id);
    if (!present) {
      throw over("the login at the page is over");
    }
    if (present->tokens.access != session.tokens.access) {
      return *present;
    }
  }
  throw LoginRefusal{503, "the login provider cannot be asked at the moment", true};
}

void PageLogin::revoke(const Session& session) {
  try {
    at_provider([&] {
      const auth::LoginRequest at = provider();
      auth::Credentials credentials;
      credentials.auth_type = "credentials";
      credentials.client_id = at.client_id;
      credentials.client_secret = at.client_secret;
      credentials.secret_in_body = at.endpoints.secret_in_body;
      credentials.revocation_url = at.endpoints.revocation;
      credentials.refresh_token = session.tokens.refresh;
      credentials.access_token = session.tokens.access;
      return auth::revoke(credentials, at.http);
    });
  } catch (const Error& error) {
    log::warning(std::string("the login provider was not told of a logout: ") + error.what());
  } catch (const LoginRefusal& refusal) {
    log::warning("the login provider was not told of a logout: " + refusal.why);
  }
}

auth::LoginRequest PageLogin::provider() {
  auth::LoginRequest request;
  request.client_id = m_options.client_id;
  request.client_secret = m_options.client_secret;
  request.scope = m_options.scopes;
  request.audience = m_options.audience;
  request.resource = m_options.resource;
  request.http.cancelled = &m_stop;
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(m_mutex);
    if (m_endpoints && now - m_discovered < k_fresh) {
      request.endpoints = *m_endpoints;
      return request;
    }
  }
  request.endpoints = auth::discover(m_issuer, request.http);
  const std::lock_guard lock(m_mutex);
  m_endpoints = request.endpoints;
  m_discovered = now;
  return request;
}

std::string PageLogin::logout_url(const Browser& browser) {
  try {
    const auth::LoginRequest at = at_provider([&] { return provider(); });
    const std::string& end = at.endpoints.end_session;
    if (end.empty()) {
      return "";
    }
    return end + (end.find('?') == std::string::npos ? "?" : "&") + "client_id=" + http::encode(at.client_id) +
           "&post_logout_redirect_uri=" + http::encode(base_url(browser) + "/");
  } catch (const Error&) {
    return "";  // the login here is over all the same
  } catch (const LoginRefusal&) {
    return "";
  }
}

bool PageLogin::secure() const { return m_encrypted || m_options.public_url.starts_with("https://"); }

std::string PageLogin::base_url(const Browser& browser) const {
  if (!m_options.public_url.empty()) {
    return m_options.public_url;
  }
  constexpr std::size_t longest = 255;
  const bool plain = !browser.host.empty() && browser.host.size() <= longest &&
                     std::all_of(browser.host.begin(), browser.host.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
                     });
  if (!plain || (!m_encrypted && !is_here(browser.host))) {
    throw Error(ErrorKind::login,
                {"nobody can log in at this address",
                 "the page does not know its own address; it is set with security.page.publicUrl", "", ""});
  }
  return (m_encrypted ? "https://" : "http://") + browser.host;
}

std::string PageLogin::cookie_name(std::string_view name) const {
  // The prefix keeps other hosts of the domain and plain connections from writing it.
  return (secure() ? "__Host-vdk-" : "vdk-") + std::string(name);
}

std::string PageLogin::cookie(const Browser& browser, std::string_view name) const {
  const std::string wanted = cookie_name(name) + "=";
  for (const std::string& one : text::split(browser.cookies, ';')) {
    if (const auto pair = text::trim(one); pair.starts_with(wanted)) {
      return std::string(pair.substr(wanted.size()));
    }
  }
  return "";
}

std::string PageLogin::session_id(const Browser& browser) const {
  const std::string id = cookie(browser, "session");
  return id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos ? id : "";
}

void PageLogin::set_cookie(ApiAnswer& answer, std::string_view name, const std::string& value,
                           std::chrono::seconds age) const {
  // The way back from the provider begins at another site; nothing else does: the page's files need no login.
  const std::string site = name == "login" ? "Lax" : "Strict";
  answer.headers.emplace_back("Set-Cookie", cookie_name(name) + "=" + value + "; Path=/; HttpOnly; SameSite=" + site +
                                                "; Max-Age=" + std::to_string(age.count()) +
                                                (secure() ? "; Secure" : ""));
}

}  // namespace vdk::control::rest

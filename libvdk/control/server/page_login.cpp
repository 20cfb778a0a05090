// SPDX-License-Identifier: Apache-2.0
#include "control/server/page_login.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "control/server/page_html.hpp"
#include "control/server/router.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr std::string_view k_begin = "/login";
constexpr std::string_view k_callback = "/login/callback";
constexpr std::string_view k_describe = "/login/session";
constexpr std::string_view k_leave = "/logout";
constexpr std::string_view k_purpose = "login on its way";
constexpr auto k_longest_login = 300s;
constexpr std::size_t k_longest_target = 500;

std::string random_id() { return random_hex(32); }

TimePoint in(std::chrono::seconds time) { return SystemClock().now() + time; }

bool same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string value_of(const std::multimap<std::string, std::string, std::less<>>& query, std::string_view name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

/// A place inside the page, never another address.
std::string safe_target(const std::string& wanted) {
  if (!wanted.starts_with("#/") || wanted.size() > k_longest_target) {
    return "#/";
  }
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/?&=%+,:@!$'()*";
  std::string target = "#";
  for (const char c : wanted.substr(1)) {
    target += plain.find(c) != std::string_view::npos ? std::string(1, c) : percent_encode(std::string_view(&c, 1));
  }
  return target;
}

PlainPage again(int status, std::string title, std::string text, const char* root) {
  return {.status = status,
          .title = std::move(title),
          .text = std::move(text),
          .hint = "Nobody was logged in by this.",
          .link = std::string(root) + "login",
          .link_text = "Log in",
          .root = root};
}

ApiAnswer redirect(const std::string& location) {
  ApiAnswer answer = empty_answer(303);
  add_page_headers(answer);
  answer.headers.emplace_back("Location", location);
  return answer;
}

/// https://host:port of an address.
std::string origin_of(const std::string& url) { return url.substr(0, url.find('/', url.find("://") + 3)); }

}  // namespace

bool PageLogin::answers(std::string_view path) {
  return path == k_begin || path == k_callback || path == k_describe || path == k_leave;
}

PageLogin::PageLogin(const SecurityOptions& options, std::shared_ptr<PageSessions> sessions, bool encrypted)
    : m_options(options.page),
      m_issuer(options.issuers.empty() ? "" : options.issuers.front()),
      m_sessions(std::move(sessions)),
      m_encrypted(encrypted) {}

ApiAnswer PageLogin::answer(ApiRequest& request, const std::string& query, const Browser& browser,
                            const Authenticator* login, LoginLimit& failures) {
  const bool leaves = request.path == k_leave;
  if (request.method != (leaves ? "POST" : "GET")) {
    ApiAnswer answer = error_answer(
        405, {"The method " + request.method + " is not allowed here.", "this address serves the operations page",
              "Nobody was logged in or out.", "Open the operations page in a browser."});
    answer.headers.emplace_back("Allow", leaves ? "POST" : "GET");
    return answer;
  }
  if (request.path == k_describe) {
    return describe(browser, login);
  }
  if (!offered() || login == nullptr) {
    throw Refusal{404,
                  {"The operations page has no login.", "this server has no security.page.clientId",
                   "Nobody was logged in or out.", "Ask the administrator of the service."}};
  }
  try {
    if (leaves) {
      return leave(request, browser);
    }
    return request.path == k_begin ? begin(query, browser) : finish(request, query, browser, *login, failures);
  } catch (const LoginRefusal& refusal) {
    return html_answer(again(refusal.status, "Not logged in", "The login did not work: " + refusal.why + ".",
                             request.path == k_begin ? "./" : "../"));
  } catch (const Error& error) {
    log::warning("login at the operations page, op " + request.op_id + ": " + error.what());
    return html_answer(again(error.kind() == ErrorKind::login || error.kind() == ErrorKind::usage ? 400 : 503,
                             "Not logged in", "The login did not work: " + error.text().why + ".",
                             request.path == k_begin ? "./" : "../"));
  }
}

ApiAnswer PageLogin::begin(const std::string& query, const Browser& browser) {
  const std::string redirect_uri = base_url(browser) + std::string(k_callback);
  const auth::WebAttempt attempt = auth::begin_web_login();
  const Json pending{{"state", attempt.state},
                     {"nonce", attempt.nonce},
                     {"verifier", attempt.verifier},
                     {"redirect", redirect_uri},
                     {"to", safe_target(value_of(parse_query(query), "to"))},
                     {"until", to_unix_micros(in(k_longest_login))}};
  ApiAnswer answer = redirect(at_provider([&] { return auth::authorization_url(provider(), redirect_uri, attempt); }));
  set_cookie(answer, "login", m_sessions->seal(pending.dump(), k_purpose), k_longest_login);
  return answer;
}

ApiAnswer PageLogin::finish(ApiRequest& request, const std::string& query, const Browser& browser,
                            const Authenticator& login, LoginLimit& failures) {
  request.noted = true;
  const auto sealed = m_sessions->unseal(cookie(browser, "login"), k_purpose);
  const Json pending = sealed ? Json::parse(*sealed) : Json();
  const bool known = sealed && pending["until"].get<long long>() > to_unix_micros(in(0s)) &&
                     same(pending["state"].get<std::string>(), value_of(parse_query(query), "state"));
  const int wait = known ? 0 : failures.fail(request.address, std::chrono::steady_clock::now());
  if (wait > 0) {
    ApiAnswer answer = html_answer(again(429, "Too many logins", "Wait a moment, then log in again.", "../"));
    answer.headers.emplace_back("Retry-After", std::to_string(wait));
    return answer;
  }
  // One use: also on the other servers, and also when the same answer of the provider comes twice at once.
  if (!known || !m_sessions->insert("state " + pending["state"].get<std::string>(), "", in(k_longest_login))) {
    return html_answer(again(400, "This login is not known",
                             "It began in another browser or tab, took longer than five minutes, or was used already.",
                             "../"));
  }
  const auth::WebAttempt attempt{.state = pending["state"], .nonce = pending["nonce"], .verifier = pending["verifier"]};
  try {
    const auth::WebTokens tokens =
        at_provider([&] { return auth::redeem_code(provider(), pending["redirect"], query, attempt); });
    return enter(request, browser, login, tokens, attempt, pending["to"]);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::login) {
      (void)failures.fail(request.address, std::chrono::steady_clock::now());
    }
    throw;
  }
}

ApiAnswer PageLogin::enter(ApiRequest& request, const Browser& browser, const Authenticator& login,
                           const auth::WebTokens& tokens, const auth::WebAttempt& attempt, const std::string& target) {
  if (!tokens.id.empty() || (" " + m_options.scopes + " ").find(" openid ") != std::string::npos) {
    login.check_nonce(tokens.id, m_options.client_id, attempt.nonce);
  }
  Session session{.user = {}, .tokens = tokens, .by_id_token = false};
  session.by_id_token = std::count(tokens.access.begin(), tokens.access.end(), '.') != 2 && !tokens.id.empty();
  try {
    session.user = person(session, login).principal.user;
  } catch (const LoginRefusal& refusal) {
    if (refusal.status != 403) {
      throw;
    }
    PlainPage page = again(403, "You may not use this service", refusal.why + ".", "../");
    page.hint = "Ask the administrator of the service for access, or log in as somebody else.";
    const std::string elsewhere = logout_url(browser);
    page.link = elsewhere.empty() ? page.link : elsewhere;
    page.link_text = elsewhere.empty() ? page.link_text : "Log out at the login provider";
    return html_answer(page);
  }
  if (const std::string old = session_id(browser); !old.empty()) {
    m_sessions->erase(old);
  }
  // A new id for each login: one that somebody has put into the browser before is worth nothing.
  const std::string id = random_id();
  (void)m_sessions->insert(id, session.text(), in(m_options.longest));
  request.user = session.user;
  log::info(session.user + " logged in to the operations page from " + request.address + ", op " + request.op_id);
  ApiAnswer answer = redirect("../" + target);
  set_cookie(answer, "session", id, m_options.longest);
  set_cookie(answer, "login", "", 0s);
  return answer;
}

ApiAnswer PageLogin::describe(const Browser& browser, const Authenticator* login) {
  Json json{{"needed", login != nullptr}, {"offered", login != nullptr && offered()}, {"user", nullptr}};
  bool ended = false;
  try {
    if (const auto found = login != nullptr && offered() ? who(browser, *login) : std::nullopt) {
      json["user"] = found->principal.user;
    }
  } catch (const LoginRefusal& refusal) {
    if (refusal.status != 401) {
      throw Refusal{refusal.status, {"The login cannot be checked.", refusal.why, "", "Try again a little later."}};
    }
    ended = true;
  }
  json["ended"] = ended;
  ApiAnswer answer = json_answer(200, json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (ended) {
    set_cookie(answer, "session", "", 0s);
  }
  return answer;
}

ApiAnswer PageLogin::leave(ApiRequest& request, const Browser& browser) {
  const bool ours = browser.fetch_site.empty()
                        ? !browser.origin.empty() && origin_of(base_url(browser)) == browser.origin
                        : browser.fetch_site == "same-origin";
  if (!ours) {
    throw Refusal{403,
                  {"Nobody was logged out.", "the request does not come from the operations page", "The login goes on.",
                   "Use the page's own button."}};
  }
  const std::string id = session_id(browser);
  if (const auto session = id.empty() ? std::nullopt : find(id)) {
    request.user = session->user;
    m_sessions->erase(id);
    revoke(*session);
  }
  const std::string next = logout_url(browser);
  ApiAnswer answer = json_answer(200, Json{{"location", next.empty() ? Json() : Json(next)}}.dump());
  set_cookie(answer, "session", "", 0s);
  return answer;
}

}  // namespace vdk::control::rest

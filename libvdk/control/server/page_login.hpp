// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>

#include "control/server/api.hpp"
#include "control/server/auth.hpp"
#include "control/server/auth_limit.hpp"
#include "vdk/auth/web_login.hpp"
#include "vdk/control/page_sessions.hpp"

namespace vdk::control::rest {

/// What a browser says about itself and its request.
struct Browser {
  std::string cookies;
  std::string host;
  std::string origin;
  std::string fetch_site;
};

/// The operations page's login: authorization code with PKCE at the issuer whose tokens count anyway. A login on its
/// way lives in a sealed cookie of that browser, so nobody can fill the server with logins that nobody finishes; who is
/// logged in lives in PageSessions, so every server knows it and a logout ends it everywhere. Thread-safe.
class PageLogin {
 public:
  /// `encrypted`: this server itself speaks TLS.
  PageLogin(const SecurityOptions& options, std::shared_ptr<PageSessions> sessions, bool encrypted);

  [[nodiscard]] bool offered() const { return m_sessions && !m_options.client_id.empty(); }
  /// True for the paths that `answer` knows.
  [[nodiscard]] static bool answers(std::string_view path);
  /// `login` is null while nobody needs a login; `failures` counts what goes wrong on purpose.
  [[nodiscard]] ApiAnswer answer(ApiRequest& request, const std::string& query, const Browser& browser,
                                 const Authenticator* login, LoginLimit& failures);
  /// Somebody who is logged in at the page.
  struct Person {
    Principal principal;
    std::string token;  ///< the access token, never shown
  };
  /// The person of the page's cookie, with fresh tokens; nothing without such a cookie. Throws LoginRefusal.
  [[nodiscard]] std::optional<Person> who(const Browser& browser, const Authenticator& login);
  /// Requests to the provider are given up.
  void stop() { m_stop = true; }

 private:
  struct Session {
    std::string user;
    auth::WebTokens tokens;
    bool by_id_token = false;  ///< the provider's access tokens say nothing to us
    [[nodiscard]] std::string text() const;
  };
  [[nodiscard]] ApiAnswer begin(const std::string& query, const Browser& browser);
  [[nodiscard]] ApiAnswer finish(ApiRequest& request, const std::string& query, const Browser& browser,
                                 const Authenticator& login, LoginLimit& failures);
  [[nodiscard]] ApiAnswer enter(ApiRequest& request, const Browser& browser, const Authenticator& login,
                                const auth::WebTokens& tokens, const auth::WebAttempt& attempt,
                                const std::string& target);
  [[nodiscard]] ApiAnswer describe(const Browser& browser, const Authenticator* login);
  [[nodiscard]] ApiAnswer leave(ApiRequest& request, const Browser& browser);

  [[nodiscard]] std::optional<Session> find(const std::string& id);
  [[nodiscard]] Session renewed(const std::string& id, const Session& session);
  [[nodiscard]] Session renewed_elsewhere(const std::string& id, const Session& session);
  void revoke(const Session& session);
  [[nodiscard]] Person person(const Session& session, const Authenticator& login) const;
  [[nodiscard]] auth::LoginRequest provider();
  /// Work that talks to the provider; LoginRefusal 503 while too much of it is going on.
  template <typename Work>
  auto at_provider(const Work& work) {
    struct Place {
      std::counting_semaphore<4>& places;
      ~Place() { places.release(); }
    };
    if (!m_provider.try_acquire_for(std::chrono::seconds(2))) {
      throw LoginRefusal{503, "the login provider does not answer at the moment", true};
    }
    const Place place{m_provider};
    return work();
  }

  [[nodiscard]] bool secure() const;
  [[nodiscard]] std::string base_url(const Browser& browser) const;
  [[nodiscard]] std::string cookie(const Browser& browser, std::string_view name) const;
  [[nodiscard]] std::string session_id(const Browser& browser) const;
  [[nodiscard]] std::string cookie_name(std::string_view name) const;
  void set_cookie(ApiAnswer& answer, std::string_view name, const std::string& value, std::chrono::seconds age) const;
  [[nodiscard]] std::string logout_url(const Browser& browser);

  PageLoginOptions m_options;
  std::string m_issuer;
  std::shared_ptr<PageSessions> m_sessions;
  bool m_encrypted;
  std::atomic<bool> m_stop{false};
  std::counting_semaphore<4> m_provider{4};  ///< a slow provider must not take all workers
  std::mutex m_mutex;
  std::optional<auth::Endpoints> m_endpoints;
  std::chrono::steady_clock::time_point m_discovered;
};

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "vdk/auth/credentials.hpp"
#include "vdk/core/http.hpp"

namespace vdk::auth {

/// A token for this process alone, never stored: VDK_ACCESS_TOKEN, VDK_ACCESS_TOKEN_FD (read once) or
/// VDK_ACCESS_TOKEN_FILE (read for every request: a notebook server renews it).
struct GivenToken {
  std::string value;
  std::string source;  ///< name of the variable
};

struct TokenSourceOptions {
  CredentialFile file;
  http::ClientOptions http;
  std::string api_token;                    ///< VDK_API_TOKEN
  std::string api_token_authorization_url;  ///< VDK_API_TOKEN_AUTHORIZATION_URL
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
};

/// The access token for the next request, renewed in time. Any number of processes share one login: the file is locked
/// while one of them renews it, and the others take what it got. Safe for several threads.
class TokenSource {
 public:
  explicit TokenSource(TokenSourceOptions options);

  /// Empty when nobody has logged in. Error(login) when the login is over; it names the command that mends it.
  [[nodiscard]] std::string token();
  /// The service did not take `refused`. A renewed token when there is one now, nothing otherwise.
  [[nodiscard]] std::optional<std::string> replace(const std::string& refused);
  /// The token that the environment gives, when it gives one.
  [[nodiscard]] std::optional<GivenToken> given();
  /// The command that logs in again the way it was done last time.
  [[nodiscard]] static std::string login_command(const std::optional<Credentials>& credentials);

 private:
  [[nodiscard]] bool fresh(const Credentials& credentials) const;
  [[nodiscard]] bool alive(const Credentials& credentials) const;
  [[nodiscard]] bool matches_environment(const Credentials& credentials) const;
  [[nodiscard]] bool renewable(const Credentials& credentials) const;
  [[nodiscard]] Credentials from_environment() const;
  /// Under the lock of the file; `refused` is renewed even when its time is not over.
  [[nodiscard]] std::string renew(const std::string& refused);
  [[nodiscard]] std::string without_renewal(const std::optional<Credentials>& credentials);

  TokenSourceOptions m_options;
  std::mutex m_mutex;
  std::optional<Credentials> m_cached;
  std::optional<GivenToken> m_given_once;
  bool m_descriptor_read = false;
};

}  // namespace vdk::auth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "vdk/core/clock.hpp"

/// Login of people and machines at an OAuth2 provider, and the tokens that come of it.
namespace vdk::auth {

/// How a login came about; decides how it is renewed.
enum class Flow { api_token, authorization_code, device_code, client_credentials, given_token };
[[nodiscard]] std::string to_string(Flow flow);

/// What vdk-cred.json holds. The first group has the original's keys, the second one is ours.
struct Credentials {
  std::string authorization_url;  ///< the token endpoint, as the original names it
  std::string refresh_token;
  std::string access_token;
  double access_token_expiration_time = 0;  ///< seconds since the epoch
  std::string client_id;
  std::string client_secret;
  std::string api_token;
  std::string api_token_authorization_url;
  std::string auth_type;  ///< api-token, credentials or empty

  std::string flow;  ///< to_string(Flow); empty for a login of the original
  std::string issuer;
  std::string revocation_url;
  std::string scope;
  std::string audience;
  std::string resource;
  std::string user;                ///< for people only
  std::string environment_digest;  ///< of the VDK_API_TOKEN that the access token was exchanged for
  bool secret_in_body = false;     ///< client_secret_post instead of Basic
  bool expiry_known = true;
  double lifetime = 0;  ///< of the access token, in seconds
  bool keyring = false;
};

/// vdk-cred.json in the folder that both clients share: 0600, replaced atomically, unknown keys kept.
class CredentialFile {
 public:
  /// The file in config::internal_directory().
  CredentialFile();
  explicit CredentialFile(std::filesystem::path path) : m_path(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return m_path; }
  /// Locked by whoever changes the login.
  [[nodiscard]] std::filesystem::path lock_path() const;
  /// Nothing when nobody has logged in. Error(configuration) when the file is no JSON object, Error(platform) when its
  /// secrets are in a keyring that cannot be asked.
  [[nodiscard]] std::optional<Credentials> load() const;
  /// The secrets go to the keyring when `credentials.keyring` says so.
  void save(const Credentials& credentials) const;
  /// File and keyring entry; false when there was nothing.
  bool erase() const;

 private:
  std::filesystem::path m_path;
};

/// The name that a token gives its owner: a claim of a JWT, not verified. Empty when there is none.
[[nodiscard]] std::string user_of_token(const std::string& token);
/// The `exp` claim of a JWT; nothing when there is none.
[[nodiscard]] std::optional<double> expiry_of_token(const std::string& token);

/// No core file and no debugger of the same user sees this process from now on: it holds secrets.
void protect_memory() noexcept;

}  // namespace vdk::auth

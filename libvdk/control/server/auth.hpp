// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/server/auth_keys.hpp"
#include "vdk/control/security.hpp"

/// Who sends a request, and what that person may do.
namespace vdk::control::rest {

struct Principal {
  std::string user;
  bool all_teams = false;
  std::vector<std::string> teams;

  [[nodiscard]] bool may(std::string_view team) const;
};

/// Nobody may be let in. 401: no token or one that does not count; 403: a person without the right; 503: it cannot be
/// checked now.
struct LoginRefusal {
  int status = 401;
  std::string why;
  bool tried = false;  ///< there was a token
};

/// Checks bearer tokens. Thread-safe.
class Authenticator {
 public:
  /// `previous`, which may be null, gives the keys of issuers that it has already asked.
  explicit Authenticator(SecurityOptions options, const Authenticator* previous = nullptr);
  /// The person of an Authorization header; throws LoginRefusal.
  [[nodiscard]] Principal check(std::string_view authorization) const;
  /// The same of the token alone.
  [[nodiscard]] Principal check_token(std::string_view token) const;
  /// An ID token of our client instead, which has another audience.
  [[nodiscard]] Principal check_id_token(std::string_view token, const std::string& client_id) const;
  /// Throws LoginRefusal unless the ID token was made for our client and for this login.
  void check_nonce(std::string_view id_token, const std::string& client_id, const std::string& nonce) const;

 private:
  /// The claims of a token that counts for one of `audience`, as JSON text.
  [[nodiscard]] std::string claims_of(std::string_view token, const std::vector<std::string>& audience) const;
  [[nodiscard]] KeyRing& ring_of(const std::string& issuer) const;

  SecurityOptions m_options;
  using Source = std::pair<bool, std::string>;  ///< an address of keys, or (false) an issuer that is asked for it
  std::map<Source, std::shared_ptr<KeyRing>> m_sources;
  std::map<std::string, std::shared_ptr<KeyRing>, std::less<>> m_rings;  ///< by issuer
};

}  // namespace vdk::control::rest

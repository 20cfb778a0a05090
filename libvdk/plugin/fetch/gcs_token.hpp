// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "plugin/fetch/web.hpp"

namespace vdk::plugin {

/// A Google service account that gets access tokens for reading (a signed JWT against a token, RFC 7523).
class GcsAccount {
 public:
  /// Reads and checks the account's JSON. Throws Error(configuration), never with a part of it.
  explicit GcsAccount(const ProviderConfig& config);
  /// A token that lasts a minute at least.
  [[nodiscard]] std::string token(Web& web);

 private:
  [[nodiscard]] std::string assertion() const;

  const ProviderConfig& m_config;
  std::string m_email;
  std::string m_key;  ///< PEM
  std::string m_key_id;
  std::string m_token_uri;
  std::string m_token;
  std::chrono::steady_clock::time_point m_expires;
};

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

/// The parts of SCHEME://[LOGIN@]HOST[:PORT][/PATH][?QUERY].
struct Address {
  std::string scheme;  ///< lower case
  std::string login;   ///< user[:password], percent-decoded
  std::string host;    ///< lower case; an IPv6 address without its brackets
  std::string origin;  ///< HOST[:PORT] as it is written
  std::string path;    ///< with its slash, or empty
  std::string query;   ///< without its question mark

  [[nodiscard]] std::string without_login() const;
};

/// Throws Error(configuration) when it is no address with a host or has characters that none may have.
[[nodiscard]] Address parse_address(const std::string& url);

/// localhost, 127.0.0.0/8 and ::1, with brackets or without.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Throws Error(configuration) unless the address is https, or http that is allowed: to this machine, or `insecure`.
void require_safe_scheme(const Address& address, const ProviderConfig& config);

/// A path of a request below a provider. Throws Error(configuration) for empty and `..` parts and control characters.
void require_clean_path(const std::string& path);
/// Every part percent-encoded, slashes kept.
[[nodiscard]] std::string encode_path(std::string_view path);

[[nodiscard]] std::string percent_decoded(std::string_view text);

/// Error(configuration) about a provider.
[[nodiscard]] Error provider_error(const ProviderConfig& config, std::string why, std::string countermeasures);

}  // namespace vdk::plugin

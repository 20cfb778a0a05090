// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

/// Public keys of a login provider (JSON Web Key sets, RFC 7517).
namespace vdk::control::rest {

struct Key {
  std::string id;         ///< may be empty
  std::string type;       ///< RSA, EC or OKP
  std::string curve;      ///< P-256, P-384 or Ed25519
  std::string algorithm;  ///< that the key is for; may be empty
  std::shared_ptr<evp_pkey_st> key;
};
using KeySet = std::vector<Key>;

/// The keys that can verify signatures; others (encryption, secrets, unknown types, short RSA keys) are left out.
/// Error(platform) for text that is no key set.
[[nodiscard]] KeySet read_key_set(std::string_view json);

/// Strict base64url without padding; false for anything else.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& bytes);

}  // namespace vdk::control::rest

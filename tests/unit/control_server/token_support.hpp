// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

/// Real keys and signatures, as right or as wrong as a test wants them.
namespace vdk::control::testing {

[[nodiscard]] std::string base64url(std::string_view bytes);

/// A key pair: "RSA" (2048 bits), "RSA-1024", "P-256", "P-384", "Ed25519".
class KeyPair {
 public:
  explicit KeyPair(const std::string& kind);
  /// The public half as a JSON Web Key with this id.
  [[nodiscard]] nlohmann::json jwk(const std::string& id) const;
  /// The public half as PEM: what HS256 is abused with.
  [[nodiscard]] std::string pem() const;
  /// Over `text`, as the algorithm writes it into a token.
  [[nodiscard]] std::string sign(const std::string& algorithm, const std::string& text) const;
  /// An ECDSA signature in DER, which no token may have.
  [[nodiscard]] std::string sign_der(const std::string& text) const;

 private:
  std::string m_kind;
  std::shared_ptr<EVP_PKEY> m_key;
};

/// HMAC-SHA-256.
[[nodiscard]] std::string hmac(const std::string& secret, const std::string& text);

/// HEADER.PAYLOAD of a token, both as the texts that they are.
[[nodiscard]] std::string unsigned_part(const std::string& header, const std::string& payload);
/// A whole token.
[[nodiscard]] std::string token(const KeyPair& key, const std::string& algorithm, const std::string& header,
                                const std::string& payload);

}  // namespace vdk::control::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "control/server/jwks.hpp"

/// Signed tokens (JSON Web Tokens, RFC 7519 and the advice of RFC 8725).
namespace vdk::control::rest {

/// A token taken apart; nothing in it is to be believed before `verifies`.
struct Jwt {
  std::string algorithm;
  std::string key_id;
  std::string payload;  ///< JSON text of an object
  std::string signature;
  std::string_view signed_part;  ///< of the text that was decoded
};

/// Why a token is refused: a sentence without anything from the token.
struct TokenProblem {
  std::string why;
};

/// Throws TokenProblem for what is no signed token, or one with an algorithm outside of the list: RS256, RS384, RS512,
/// PS256, PS384, PS512, ES256, ES384, EdDSA. The result looks into `token`.
[[nodiscard]] Jwt decode_jwt(std::string_view token);
/// True when the key is of the kind that the algorithm needs, may be used with it, and the signature is right.
[[nodiscard]] bool verifies(const Jwt& jwt, const Key& key);

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#include "control/server/jwt.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_longest_token = 16UL << 10U;

struct Algorithm {
  std::string_view name;
  std::string_view type;
  std::string_view curve;
  const EVP_MD* (*digest)();  ///< null = part of the algorithm
  bool pss = false;
  std::size_t number = 0;  ///< bytes of one of the two numbers of an ECDSA signature
};

constexpr std::array k_algorithms = {
    Algorithm{"RS256", "RSA", "", EVP_sha256},
    Algorithm{"RS384", "RSA", "", EVP_sha384},
    Algorithm{"RS512", "RSA", "", EVP_sha512},
    Algorithm{"PS256", "RSA", "", EVP_sha256, true},
    Algorithm{"PS384", "RSA", "", EVP_sha384, true},
    Algorithm{"PS512", "RSA", "", EVP_sha512, true},
    Algorithm{"ES256", "EC", "P-256", EVP_sha256, false, 32},
    Algorithm{"ES384", "EC", "P-384", EVP_sha384, false, 48},
    Algorithm{"EdDSA", "OKP", "Ed25519", nullptr},
};

const Algorithm* find_algorithm(std::string_view name) {
  const auto* found =
      std::find_if(k_algorithms.begin(), k_algorithms.end(), [&](const Algorithm& one) { return one.name == name; });
  return found == k_algorithms.end() ? nullptr : found;
}

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

/// Two numbers side by side, as tokens have them, into the form that OpenSSL reads; empty when they are none.
std::string der_signature(const std::string& signature, std::size_t number) {
  if (signature.size() != 2 * number) {
    return "";
  }
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  const int size = static_cast<int>(number);
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(raw(signature), size, nullptr),
                 BN_bin2bn(raw(std::string_view(signature).substr(number)), size, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  std::string result = length <= 0 ? "" : std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return result;
}

/// JSON in which no name stands twice: two readers could see two values.
Json parse_strictly(const std::string& text) {
  std::vector<std::set<std::string>> names;  // of the objects that are open
  bool twice = false;
  const auto look = [&](int /*depth*/, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      names.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      names.pop_back();
    } else if (event == Json::parse_event_t::key) {
      twice = !names.back().insert(value.get<std::string>()).second || twice;
    }
    return true;
  };
  Json json = Json::parse(text, look, false);
  return twice ? Json(Json::value_t::discarded) : json;
}

Json object_of(std::string_view part, std::string& text) {
  if (!decode_base64url(part, text)) {
    throw TokenProblem{"the token is malformed"};
  }
  Json json = parse_strictly(text);
  if (!json.is_object()) {
    throw TokenProblem{"the token is malformed"};
  }
  return json;
}

std::string text_member(const Json& header, const char* name) {
  const auto found = header.find(name);
  if (found == header.end()) {
    return "";
  }
  if (!found->is_string()) {
    throw TokenProblem{"the token is malformed"};
  }
  return found->get<std::string>();
}

/// Tokens of other kinds (logout, events, ...) are signed with the same keys.
bool is_access_token(std::string type) {
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type.empty() || type == "jwt" || type == "at+jwt" || type == "application/at+jwt";
}

}  // namespace

Jwt decode_jwt(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > k_longest_token || second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    throw TokenProblem{"the token is malformed"};
  }
  Jwt jwt;
  std::string header_text;
  const Json header = object_of(token.substr(0, first), header_text);
  jwt.algorithm = text_member(header, "alg");
  jwt.key_id = text_member(header, "kid");
  if (find_algorithm(jwt.algorithm) == nullptr) {
    throw TokenProblem{"the token is not signed with an accepted algorithm"};
  }
  if (header.contains("crit") || !is_access_token(text_member(header, "typ"))) {
    throw TokenProblem{"the token is of a kind that is not accepted"};
  }
  (void)object_of(token.substr(first + 1, second - first - 1), jwt.payload);
  if (!decode_base64url(token.substr(second + 1), jwt.signature) || jwt.signature.empty()) {
    throw TokenProblem{"the token is malformed"};
  }
  jwt.signed_part = token.substr(0, second);
  return jwt;
}

bool verifies(const Jwt& jwt, const Key& key) {
  const Algorithm* algorithm = find_algorithm(jwt.algorithm);
  if (algorithm == nullptr || !key.key || key.type != algorithm->type ||
      (!algorithm->curve.empty() && key.curve != algorithm->curve) ||
      (!key.algorithm.empty() && key.algorithm != jwt.algorithm)) {
    return false;
  }
  const std::string signature =
      algorithm->number == 0 ? jwt.signature : der_signature(jwt.signature, algorithm->number);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  if (!context || signature.empty() ||
      EVP_DigestVerifyInit(context.get(), &options, algorithm->digest == nullptr ? nullptr : algorithm->digest(),
                           nullptr, key.key.get()) != 1) {
    return false;
  }
  if (algorithm->pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(jwt.signed_part),
                          jwt.signed_part.size()) == 1;
}

}  // namespace vdk::control::rest

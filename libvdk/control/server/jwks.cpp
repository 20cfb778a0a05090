// SPDX-License-Identifier: Apache-2.0
#include "control/server/jwks.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vdk/core/error.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;
using Parameters = std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

constexpr int k_least_rsa_bits = 2048;
constexpr int k_most_rsa_bits = 8192;

std::string word(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string bytes_of(const Json& object, const char* name) {
  std::string bytes;
  return decode_base64url(word(object, name), bytes) ? bytes : std::string();
}

Number number_of(const std::string& bytes) {
  return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
          BN_free};
}

std::shared_ptr<EVP_PKEY> from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder), OSSL_PARAM_free);
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> rsa_key(const Json& json) {
  const Number n = number_of(bytes_of(json, "n"));
  const Number e = number_of(bytes_of(json, "e"));
  const int bits = n ? BN_num_bits(n.get()) : 0;
  if (!n || !e || bits < k_least_rsa_bits || bits > k_most_rsa_bits || BN_is_odd(e.get()) == 0 ||
      BN_is_one(e.get()) == 1) {
    return nullptr;
  }
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return from_parameters("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> elliptic_key(const Json& json, const std::string& curve) {
  const std::size_t size = curve == "P-256" ? 32 : curve == "P-384" ? 48 : 0;
  const std::string x = bytes_of(json, "x");
  const std::string y = bytes_of(json, "y");
  if (size == 0 || x.size() != size || y.size() != size) {
    return nullptr;
  }
  const std::string point = '\x04' + x + y;
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_parameters("EC", builder.get());
}

std::shared_ptr<EVP_PKEY> edwards_key(const Json& json, const std::string& curve) {
  const std::string x = bytes_of(json, "x");
  if (curve != "Ed25519" || x.size() != 32) {
    return nullptr;
  }
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(x.data()),
                                      x.size()),
          EVP_PKEY_free};
}

bool is_for_signatures(const Json& json) {
  const std::string use = word(json, "use");
  const auto operations = json.find("key_ops");
  const bool verifies =
      operations == json.end() ||
      (operations->is_array() && std::find(operations->begin(), operations->end(), "verify") != operations->end());
  return (use.empty() || use == "sig") && verifies;
}

}  // namespace

bool decode_base64url(std::string_view text, std::string& bytes) {
  bytes.clear();
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '-'             ? 62
                      : c == '_'             ? 63
                                             : -1;
    if (value < 0) {
      return false;
    }
    buffer = (buffer << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 0xFFU);
    }
  }
  // One text for one value: what is left over must be nothing but zeros.
  return bits < 6 && (buffer & ((1U << bits) - 1U)) == 0;
}

KeySet read_key_set(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto list = json.is_object() ? json.find("keys") : json.end();
  if (!json.is_object() || list == json.end() || !list->is_array()) {
    throw Error(ErrorKind::platform,
                {"cannot read the keys of the login provider", "the answer is no JSON Web Key set",
                 "Logins cannot be checked with it.", "Check security.oauth2.jwtJwkSetUri and jwtIssuerUris."});
  }
  KeySet keys;
  for (const Json& one : *list) {
    if (!one.is_object() || !is_for_signatures(one)) {
      continue;
    }
    Key key{.id = word(one, "kid"),
            .type = word(one, "kty"),
            .curve = word(one, "crv"),
            .algorithm = word(one, "alg"),
            .key = {}};
    key.key = key.type == "RSA"   ? rsa_key(one)
              : key.type == "EC"  ? elliptic_key(one, key.curve)
              : key.type == "OKP" ? edwards_key(one, key.curve)
                                  : nullptr;
    if (key.key) {
      keys.push_back(std::move(key));
    }
  }
  return keys;
}

}  // namespace vdk::control::rest

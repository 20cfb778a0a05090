// SPDX-License-Identifier: Apache-2.0
#include "control_server/token_support.hpp"

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

namespace vdk::control::testing {
namespace {

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::string number(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* value = nullptr;
  REQUIRE(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  std::string bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(value) : size), '\0');
  REQUIRE(BN_bn2binpad(value, raw(bytes), static_cast<int>(bytes.size())) > 0);
  BN_free(value);
  return bytes;
}

const EVP_MD* digest_of(const std::string& algorithm) {
  return algorithm == "EdDSA"         ? nullptr
         : algorithm.ends_with("256") ? EVP_sha256()
         : algorithm.ends_with("384") ? EVP_sha384()
                                      : EVP_sha512();
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(raw(text), raw(bytes), static_cast<int>(bytes.size()))));
  text.erase(text.find_last_not_of('=') + 1);
  for (char& c : text) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return text;
}

KeyPair::KeyPair(const std::string& kind) : m_kind(kind) {
  EVP_PKEY* key = kind == "RSA"        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                  : kind == "RSA-1024" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})
                  : kind == "Ed25519"  ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str());
  REQUIRE(key != nullptr);
  m_key = {key, EVP_PKEY_free};
}

nlohmann::json KeyPair::jwk(const std::string& id) const {
  nlohmann::json json{{"kid", id}, {"use", "sig"}};
  if (m_kind.starts_with("RSA")) {
    json["kty"] = "RSA";
    json["n"] = base64url(number(m_key.get(), OSSL_PKEY_PARAM_RSA_N, 0));
    json["e"] = base64url(number(m_key.get(), OSSL_PKEY_PARAM_RSA_E, 0));
  } else if (m_kind == "Ed25519") {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    REQUIRE(EVP_PKEY_get_raw_public_key(m_key.get(), raw(bytes), &size) == 1);
    json["kty"] = "OKP";
    json["crv"] = m_kind;
    json["x"] = base64url(bytes);
  } else {
    const int size = m_kind == "P-256" ? 32 : 48;
    json["kty"] = "EC";
    json["crv"] = m_kind;
    json["x"] = base64url(number(m_key.get(), OSSL_PKEY_PARAM_EC_PUB_X, size));
    json["y"] = base64url(number(m_key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, size));
  }
  return json;
}

std::string KeyPair::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  REQUIRE(PEM_write_bio_PUBKEY(out.get(), m_key.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string KeyPair::sign(const std::string& algorithm, const std::string& text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  REQUIRE(EVP_DigestSignInit(context.get(), &options, digest_of(algorithm), nullptr, m_key.get()) == 1);
  if (algorithm.starts_with("PS")) {
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = 0;
  REQUIRE(EVP_DigestSign(context.get(), nullptr, &size, raw(text), text.size()) == 1);
  std::string signature(size, '\0');
  REQUIRE(EVP_DigestSign(context.get(), raw(signature), &size, raw(text), text.size()) == 1);
  signature.resize(size);
  if (!m_kind.starts_with("P-")) {
    return signature;
  }
  const unsigned char* at = raw(std::string_view(signature));
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())), ECDSA_SIG_free);
  const std::size_t half = m_kind == "P-256" ? 32 : 48;
  std::string plain(2 * half, '\0');
  REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw(plain), static_cast<int>(half)) > 0);
  REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw(plain) + half, static_cast<int>(half)) > 0);
  return plain;
}

std::string KeyPair::sign_der(const std::string& text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, m_key.get()) == 1);
  std::array<unsigned char, 256> buffer{};
  std::size_t size = buffer.size();
  REQUIRE(EVP_DigestSign(context.get(), buffer.data(), &size, raw(text), text.size()) == 1);
  return {reinterpret_cast<const char*>(buffer.data()), size};
}

std::string hmac(const std::string& secret, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> buffer{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), raw(text), text.size(), buffer.data(), &size);
  return {reinterpret_cast<const char*>(buffer.data()), size};
}

std::string unsigned_part(const std::string& header, const std::string& payload) {
  return base64url(header) + "." + base64url(payload);
}

std::string token(const KeyPair& key, const std::string& algorithm, const std::string& header,
                  const std::string& payload) {
  const std::string text = unsigned_part(header, payload);
  return text + "." + base64url(key.sign(algorithm, text));
}

}  // namespace vdk::control::testing

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/crypto.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "vdk/control/secrets_key.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr std::size_t k_key_size = 32;
constexpr std::size_t k_nonce_size = 12;
constexpr std::size_t k_tag_size = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string to_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  result.reserve(text.size() * 2);
  for (const char c : text) {
    const auto value = static_cast<unsigned char>(c);
    result += digits[value >> 4U];
    result += digits[value & 15U];
  }
  return result;
}

std::optional<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
      return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    result += static_cast<char>(high * 16 + low);
  }
  return result;
}

void check(int result) {
  if (result != 1) {
    throw Error(ErrorKind::platform, {"cannot encrypt the secrets", "the cryptography library refused the operation",
                                      "The secrets were not stored.", "Check the installation of OpenSSL."});
  }
}

[[noreturn]] void refuse_key(const std::string& where) {
  throw Error(ErrorKind::configuration,
              {"cannot use the key of the secrets", where + " does not hold 64 hexadecimal digits",
               "Secrets can be neither read nor stored.",
               "Put the key back that was in use before; without it the stored secrets are lost."});
}

std::string parse_key(std::string_view text, const std::string& where) {
  const auto key = from_hex(text::trim(text));
  if (!key || key->size() != k_key_size) {
    refuse_key(where);
  }
  return *key;
}

/// The key that was taken out of the environment.
std::string& taken_key() {
  static std::string key;
  return key;
}

}  // namespace

void take_secrets_key() {
  if (const auto key = process::environment("VDK_SECRETS_KEY"); key && !key->empty()) {
    taken_key() = *key;
    ::unsetenv("VDK_SECRETS_KEY");
  }
}

std::string load_secrets_key(const std::filesystem::path& home) {
  if (!taken_key().empty()) {
    return parse_key(taken_key(), "the environment variable VDK_SECRETS_KEY");
  }
  if (const auto key = process::environment("VDK_SECRETS_KEY"); key && !key->empty()) {
    return parse_key(*key, "the environment variable VDK_SECRETS_KEY");
  }
  const auto path = home / "secret.key";
  if (const auto content = files::read_if_exists(path)) {
    return parse_key(*content, "'" + path.string() + "'");
  }
  // Two processes may find no key at the same time; both must go on with the same one.
  const files::FileLock lock = files::FileLock::acquire(home / "secret.lock");
  if (const auto content = files::read_if_exists(path)) {
    return parse_key(*content, "'" + path.string() + "'");
  }
  const std::string key = random_hex(k_key_size);
  files::write_atomic(path, key + "\n", 0600);
  return parse_key(key, "'" + path.string() + "'");
}

std::string encrypt(const std::string& key, std::string_view plain, std::string_view bound_to) {
  const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string nonce(k_nonce_size, '\0');
  check(RAND_bytes(bytes(nonce), static_cast<int>(nonce.size())));
  check(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(std::string_view(key)), bytes(nonce)));
  int length = 0;
  check(EVP_EncryptUpdate(context.get(), nullptr, &length, bytes(bound_to), static_cast<int>(bound_to.size())));
  std::string cipher(plain.size() + k_tag_size, '\0');
  check(EVP_EncryptUpdate(context.get(), bytes(cipher), &length, bytes(plain), static_cast<int>(plain.size())));
  cipher.resize(static_cast<std::size_t>(length));
  std::string rest(k_tag_size, '\0');
  check(EVP_EncryptFinal_ex(context.get(), bytes(rest), &length));
  std::string tag(k_tag_size, '\0');
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(k_tag_size), tag.data()));
  return to_hex(nonce + tag + cipher);
}

std::string decrypt(const std::string& key, std::string_view cipher, std::string_view bound_to) {
  const std::string all = from_hex(cipher).value_or(std::string());
  if (all.size() >= k_nonce_size + k_tag_size) {
    const std::string nonce = all.substr(0, k_nonce_size);
    std::string tag = all.substr(k_nonce_size, k_tag_size);
    const std::string body = all.substr(k_nonce_size + k_tag_size);
    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    check(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(std::string_view(key)),
                             bytes(std::string_view(nonce))));
    int length = 0;
    check(EVP_DecryptUpdate(context.get(), nullptr, &length, bytes(bound_to), static_cast<int>(bound_to.size())));
    std::string plain(body.size() + k_tag_size, '\0');
    check(EVP_DecryptUpdate(context.get(), bytes(plain), &length, bytes(std::string_view(body)),
                            static_cast<int>(body.size())));
    plain.resize(static_cast<std::size_t>(length));
    std::string rest(k_tag_size, '\0');
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(k_tag_size), tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), bytes(rest), &length) == 1) {
      return plain;
    }
  }
  throw Error(ErrorKind::platform,
              {"cannot read the secrets of '" + std::string(bound_to) + "'",
               "they were encrypted with another key, or the stored text was changed", "The secrets stay unread.",
               "Use the key file secret.key, or VDK_SECRETS_KEY, that was in use when they were stored."});
}

}  // namespace vdk::control

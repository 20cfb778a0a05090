// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/base64.hpp"

#include <openssl/evp.h>

namespace vdk::base64 {

std::string encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL behind it
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string packed;
  for (const char c : text) {
    if (c != '\n' && c != '\r') {
      packed += c;
    }
  }
  const std::size_t digits = packed.find_last_not_of('=') + 1;
  const std::size_t padding = packed.size() - digits;
  if (packed.size() % 4 != 0 || padding > 2 ||
      std::string_view(packed).substr(0, digits).find_first_not_of(alphabet) != std::string_view::npos) {
    return std::nullopt;
  }
  std::string out(packed.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(packed.data()), static_cast<int>(packed.size()));
  if (length < 0) {
    return std::nullopt;
  }
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace vdk::base64

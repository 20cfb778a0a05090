// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/hash.hpp"

#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk {

using namespace std::string_literals;

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string out;
  out.reserve(count * 2);
  for (std::size_t i = 0; i < count; ++i) {
    out += k_digits[bytes[i] >> 4U];
    out += k_digits[bytes[i] & 0x0FU];
  }
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = getrandom(bytes.data() + have, count - have, 0);
    if (got < 0 && errno != EINTR) {
      throw system_error("cannot read random bytes", errno);
    }
    have += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return bytes;
}

void check(int result) {
  if (result != 1) {
    throw Error(ErrorKind::internal, {.what = "cannot compute a hash",
                                      .why = "OpenSSL refused the operation",
                                      .consequences = "The operation was not carried out.",
                                      .countermeasures = "Check the OpenSSL installation of this machine."});
  }
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) {
    const int number = errno;
    if (number == ENOENT) {
      throw Error(ErrorKind::not_found, {.what = "cannot open '" + path.string() + "'",
                                         .why = "there is no such file",
                                         .consequences = "The operation was not carried out.",
                                         .countermeasures = "Check the path."});
    }
    throw system_error("cannot open '" + path.string() + "'", number, "Check the path and its permissions.");
  }
  Digest digest;
  std::vector<char> buffer(1UL << 16U);
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0;) {
    digest.update({buffer.data(), got});
  }
  if (std::ferror(file.get()) != 0) {
    throw system_error("cannot read '" + path.string() + "'", errno, "Check that it is a readable file.");
  }
  return digest.hex();
}

void Digest::Free::operator()(void* context) const noexcept { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

Digest::Digest(Algorithm algorithm) : m_context(EVP_MD_CTX_new()) {
  const EVP_MD* const kind = algorithm == Algorithm::md5 ? EVP_md5() : EVP_sha256();
  check(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(m_context.get()), kind, nullptr));
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::string_view bytes) {
  check(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(m_context.get()), bytes.data(), bytes.size()));
}

std::string Digest::bytes() const {
  const std::unique_ptr<void, Free> copy(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  check(EVP_MD_CTX_copy_ex(static_cast<EVP_MD_CTX*>(copy.get()), static_cast<EVP_MD_CTX*>(m_context.get())));
  check(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(copy.get()), digest.data(), &length));
  return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string Digest::hex() const {
  const std::string raw = bytes();
  return to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
}

std::string tree_hash(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().lexically_relative(directory).generic_string();
    if (entry.is_symlink()) {
      lines.push_back(name + "\0link\0"s + fs::read_symlink(entry.path()).string());
    } else if (entry.is_regular_file()) {
      const bool executable = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      lines.push_back(name + (executable ? "\0x\0"s : "\0f\0"s) + sha256_file(entry.path()));
    } else if (entry.is_directory()) {
      lines.push_back(name + "\0d"s);
    }
  }
  std::ranges::sort(lines);
  std::string all;
  for (const auto& line : lines) {
    all += line;
    all += '\n';
  }
  return sha256_hex(all);
}

std::string random_hex(std::size_t bytes) {
  const std::string raw = random_bytes(bytes);
  return to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
}

std::string uuid4() {
  std::string raw = random_bytes(16);
  raw[6] = static_cast<char>((static_cast<unsigned char>(raw[6]) & 0x0FU) | 0x40U);
  raw[8] = static_cast<char>((static_cast<unsigned char>(raw[8]) & 0x3FU) | 0x80U);
  std::string hex = to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  for (const std::size_t at : {8U, 13U, 18U, 23U}) {
    hex.insert(at, 1, '-');
  }
  return hex;
}

}  // namespace vdk

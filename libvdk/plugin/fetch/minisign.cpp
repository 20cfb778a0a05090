// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "vdk/core/base64.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {
namespace {

constexpr std::size_t k_id_bytes = 8;
constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_signature_bytes = 64;
constexpr std::string_view k_comment = "trusted comment: ";

[[noreturn]] void refuse(const std::filesystem::path& file, std::string why) {
  throw Error(ErrorKind::platform,
              {.what = "the signature of '" + file.filename().string() + "' is not good",
               .why = std::move(why),
               .consequences = "The file is not used.",
               .countermeasures = "Fetch file and signature again; ask who publishes it which key signs."});
}

/// A file's bytes without a copy of them in memory.
class Mapped {
 public:
  explicit Mapped(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) {
      const int number = errno;
      ::close(fd);
      throw system_error("cannot read '" + file.string() + "'", number);
    }
    m_size = static_cast<std::size_t>(info.st_size);
    m_bytes = m_size == 0 ? nullptr : ::mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int number = errno;
    ::close(fd);
    if (m_bytes == MAP_FAILED) {
      throw system_error("cannot read '" + file.string() + "'", number);
    }
  }
  ~Mapped() {
    if (m_bytes != nullptr) {
      ::munmap(m_bytes, m_size);
    }
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(m_bytes), m_size}; }

 private:
  void* m_bytes = nullptr;
  std::size_t m_size = 0;
};

struct Signature {
  bool prehashed = false;
  std::string key_id;
  std::string bytes;
  std::string trusted_comment;
  std::string global;
};

Signature parse(const std::filesystem::path& file, std::string_view content) {
  const auto lines = text::lines(content);
  if (lines.size() < 4 || !lines[0].starts_with("untrusted comment:") || !lines[2].starts_with(k_comment)) {
    refuse(file, "it is no minisign signature");
  }
  const auto first = base64::decode(lines[1]);
  const auto global = base64::decode(lines[3]);
  if (!first || first->size() != 2 + k_id_bytes + k_signature_bytes || !global || global->size() != k_signature_bytes ||
      (!first->starts_with("Ed") && !first->starts_with("ED"))) {
    refuse(file, "it is no minisign signature, or a damaged one");
  }
  return {.prehashed = first->starts_with("ED"),
          .key_id = first->substr(2, k_id_bytes),
          .bytes = first->substr(2 + k_id_bytes),
          .trusted_comment = lines[2].substr(k_comment.size()),
          .global = *global};
}

/// Sixteen hexadecimal digits, the last byte first; the minisign tool shows the same without leading zeros.
std::string shown_id(const std::string& id) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (auto byte = id.rbegin(); byte != id.rend(); ++byte) {
    out += {digits[static_cast<unsigned char>(*byte) >> 4U], digits[static_cast<unsigned char>(*byte) & 15U]};
  }
  return out;
}

/// Public key with that id among the trusted ones; empty when it is not among them.
std::string find_key(const std::filesystem::path& file, const std::vector<std::string>& trusted,
                     const std::string& id) {
  std::string found;
  for (const std::string& line : trusted) {
    const auto key = base64::decode(text::trim(line));
    if (!key || key->size() != 2 + k_id_bytes + k_key_bytes || !key->starts_with("Ed")) {
      throw Error(ErrorKind::configuration,
                  {.what = "a trusted key cannot be used",
                   .why = "'" + line.substr(0, 80) + "' is no minisign public key",
                   .consequences = "The signature of '" + file.filename().string() + "' was not checked.",
                   .countermeasures = "Copy the second line of the .pub file that minisign wrote."});
    }
    if (key->compare(2, k_id_bytes, id) == 0) {
      found = key->substr(2 + k_id_bytes);
    }
  }
  return found;
}

bool is_signed(const std::string& key, std::string_view message, const std::string& signature) {
  const auto* const raw = reinterpret_cast<const unsigned char*>(key.data());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> loaded(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw, key.size()), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return loaded && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

std::string blake2b(std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length, EVP_blake2b512(),
                 nullptr) != 1) {
    throw Error(ErrorKind::internal, {.what = "cannot compute a BLAKE2 hash",
                                      .why = "OpenSSL refused the operation",
                                      .consequences = "The signature was not checked.",
                                      .countermeasures = "Check the OpenSSL installation of this machine."});
  }
  out.resize(length);
  return out;
}

}  // namespace

std::string verify_minisign(const std::filesystem::path& file, std::string_view signature,
                            const std::vector<std::string>& trusted_keys) {
  const Signature parsed = parse(file, signature);
  const std::string id = shown_id(parsed.key_id);
  const std::string key = find_key(file, trusted_keys, parsed.key_id);
  if (key.empty()) {
    refuse(file, "the key " + id + " that signed is none of the trusted keys");
  }
  const Mapped mapped(file);
  const std::string hash = parsed.prehashed ? blake2b(mapped.bytes()) : std::string();
  if (!is_signed(key, parsed.prehashed ? std::string_view(hash) : mapped.bytes(), parsed.bytes)) {
    refuse(file, "the file is not the one that the key " + id + " signed");
  }
  if (!is_signed(key, parsed.bytes + parsed.trusted_comment, parsed.global)) {
    refuse(file, "its trusted comment was changed after the key " + id + " signed it");
  }
  return id;
}

}  // namespace vdk::plugin

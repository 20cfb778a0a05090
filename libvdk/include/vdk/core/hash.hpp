// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace vdk {

/// SHA-256 as 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// The same of a file's bytes, read piece by piece. Throws Error (not_found or operation).
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path);
/// A hash over bytes that come in pieces.
class Digest {
 public:
  enum class Algorithm { sha256, md5 };
  explicit Digest(Algorithm algorithm = Algorithm::sha256);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  void update(std::string_view bytes);
  [[nodiscard]] std::string bytes() const;  ///< of what came so far
  [[nodiscard]] std::string hex() const;

 private:
  struct Free {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Free> m_context;
};
/// Hash of a folder: relative names, executable bits and contents in name order; times do not count.
[[nodiscard]] std::string tree_hash(const std::filesystem::path& directory);
/// `bytes` random bytes from the operating system as hex.
[[nodiscard]] std::string random_hex(std::size_t bytes);
/// Random UUID, 8-4-4-4-12.
[[nodiscard]] std::string uuid4();

}  // namespace vdk

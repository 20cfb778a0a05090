// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace vdk {

/// SHA-256 as 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// The same of a file's bytes, read piece by piece. Throws Error (not_found or operation).
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path);
/// Hash of a folder: relative names, executable bits and contents in name order; times do not count.
[[nodiscard]] std::string tree_hash(const std::filesystem::path& directory);
/// `bytes` random bytes from the operating system as hex.
[[nodiscard]] std::string random_hex(std::size_t bytes);
/// Random UUID, 8-4-4-4-12.
[[nodiscard]] std::string uuid4();

}  // namespace vdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "vdk/plugin/store.hpp"

/// The two files that describe a generation.
namespace vdk::plugin::detail {

inline constexpr const char* k_receipt = "receipt.json";
inline constexpr const char* k_manifest = "files.json";

[[nodiscard]] std::string to_json(const Receipt& receipt);
/// Throws Error(platform) for what is no receipt; `file` is named in it.
[[nodiscard]] Receipt parse_receipt(const std::string& text, const std::filesystem::path& file);

/// One thing that lies in a generation.
struct Item {
  char kind = 'f';      ///< f file, x executable file, d folder, l link
  std::string content;  ///< hash, or where the link points to
  bool operator==(const Item&) const = default;
};
using Manifest = std::map<std::string, Item>;  ///< by path below the generation

/// What lies below a folder; the two describing files at its top are left out.
[[nodiscard]] Manifest take_manifest(const std::filesystem::path& generation);
[[nodiscard]] std::string to_json(const Manifest& manifest);
[[nodiscard]] Manifest parse_manifest(const std::string& text, const std::filesystem::path& file);

}  // namespace vdk::plugin::detail

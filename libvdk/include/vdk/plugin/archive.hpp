// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

struct UnpackOptions {
  PluginEntry::Archive archive = PluginEntry::Archive::automatic;  ///< automatic = by magic bytes
  std::string file_name;  ///< name that the file had at its source; a plain file is stored under it
  unsigned strip_components = 0;
  std::vector<std::string> include;
  bool allow_symlinks = false;
  Limits limits;
};

struct Unpacked {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> warnings;  ///< e.g. the extension and the magic bytes disagree
};

/// Unpack an archive (zip, tar, tar.gz/bz2/xz/zst, single compressed files) or copy a plain file into `destination`, an
/// empty folder. Written below a directory descriptor without following links; refused: absolute names, drives, `..`,
/// NUL, backslash, duplicate and case-colliding names, hard links, devices, fifos, sparse and unknown types, encrypted
/// or overlapping zip entries, zip headers that disagree, and what is over the limits. Modes become 0644/0755, folders
/// 0755. Throws Error(platform) naming the entry; `destination` is empty again then.
Unpacked unpack(const std::filesystem::path& file, const std::filesystem::path& destination,
                const UnpackOptions& options);

/// SHA-256 over names, kinds, exec bits and contents of a tree in byte order of the names; independent of times, owners
/// and of how the tree was packed.
[[nodiscard]] std::string tree_sha256(const std::filesystem::path& directory);

}  // namespace vdk::plugin

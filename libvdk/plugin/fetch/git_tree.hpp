// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/fetch/file_sink.hpp"
#include "plugin/fetch/git_command.hpp"

namespace vdk::plugin {

/// An entry of a git tree.
struct GitEntry {
  std::string mode;  ///< 100644, 100755, 120000 (link), 160000 (submodule), 040000 (folder)
  std::string id;
  std::uint64_t size = 0;  ///< of a file or link
  std::string name;        ///< from the tree that was listed
};

/// Entries of a tree in git's order; `path` = only that one. Deep when `recursive`.
[[nodiscard]] std::vector<GitEntry> list_tree(GitCommand& git, const std::string& tree, const std::string& path,
                                              bool recursive, const GitCommand::Limits& limits);

/// Bytes of one file.
void write_file(GitCommand& git, const GitEntry& entry, FileSink& sink, const GitCommand::Limits& limits);
/// The files as an uncompressed tar that depends on names, exec bits and contents only. Submodules are left out.
void write_tar(GitCommand& git, const std::vector<GitEntry>& entries, FileSink& sink, const GitCommand::Limits& limits);

}  // namespace vdk::plugin

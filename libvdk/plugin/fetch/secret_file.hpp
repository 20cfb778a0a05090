// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace vdk::plugin {

/// The file that a configuration in the folder `base` means; `~/` is the home folder.
[[nodiscard]] std::filesystem::path secret_path(const std::string& text, const std::filesystem::path& base);

/// A file that holds secrets: regular, at most 1 MiB, for its owner only. Throws Error(configuration) that names it as
/// `reference`.
[[nodiscard]] std::string read_secret_file(const std::filesystem::path& path, const std::string& reference);

}  // namespace vdk::plugin

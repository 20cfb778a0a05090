// SPDX-License-Identifier: Apache-2.0
// Any bytes: unpacking a plugin gives plain files and folders below the destination, or an error and an empty folder;
// nothing beside it changes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/plugin/archive.hpp"

namespace fs = std::filesystem;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void check_inside(const fs::path& folder) {
  const fs::path real = fs::canonical(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    require(entry.is_symlink() || entry.is_regular_file() || entry.is_directory());
    const fs::path inside = fs::canonical(entry.path()).lexically_relative(real);
    require(!inside.empty() && *inside.begin() != "..");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vdk::files::TemporaryDirectory folder;
  const fs::path file = folder.path() / "file";
  const fs::path into = folder.path() / "into";
  fs::create_directory(into);
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  vdk::plugin::UnpackOptions options;
  options.file_name = "plugin";
  options.allow_symlinks = true;
  options.limits.unpacked_bytes = 4U << 20U;
  options.limits.entries = 100;
  try {
    require(vdk::plugin::unpack(file, into, options).files > 0);
    check_inside(into);
  } catch (const vdk::Error&) {
    require(fs::is_empty(into));
  }
  require(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
  return 0;
}

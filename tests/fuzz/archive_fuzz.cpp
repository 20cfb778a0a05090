// SPDX-License-Identifier: Apache-2.0
// Any bytes: unpacking gives a job below the destination, or an error and nothing at all.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/job/archive.hpp"

namespace fs = std::filesystem;

namespace {

void check_content(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink() || (!entry.is_regular_file() && !entry.is_directory())) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vdk::files::TemporaryDirectory folder;
  vdk::job::ArchiveLimits limits;
  limits.total_bytes = limits.file_bytes = 4U << 20U;
  limits.entries = 100;
  try {
    const fs::path job = vdk::job::unpack({reinterpret_cast<const char*>(data), size}, folder.path() / "to", limits);
    if (!fs::is_directory(job) || job.parent_path() != folder.path() / "to") {
      std::abort();
    }
    check_content(folder.path());
  } catch (const vdk::Error&) {
    if (!fs::is_empty(folder.path())) {
      std::abort();
    }
  }
  return 0;
}

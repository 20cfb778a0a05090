// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::job {

/// Bounds that unpacking holds to, counted on bytes produced, not on what headers claim.
struct ArchiveLimits {
  std::uint64_t total_bytes = 1ULL << 30U;
  std::uint64_t file_bytes = 512ULL << 20U;
  std::uint64_t entries = 20'000;
  std::uint64_t ratio = 1'000;  ///< produced : packed, checked from 1 MiB produced on
};

/// Zip of a job folder: entries below `root_name/` in name order, fixed times and modes, so that equal folders give
/// equal bytes. Left out: `.git`, `__pycache__`, `*.pyc`. Throws Error(usage) when a `*.keytab` is inside, and for
/// names that `unpack` would refuse.
[[nodiscard]] std::string pack(const std::filesystem::path& directory, std::string_view root_name);

/// Unpack a zip into `destination` (which must be empty or missing) and return the job's folder in it: the first
/// top-level folder, whatever its name. Refuses absolute names, `..`, NUL, backslash, drive letters, symlinks, hard
/// links, devices, duplicate and case-colliding names, and what exceeds the limits; nothing is left in `destination`
/// then. Throws Error(usage) with the offending entry's name.
std::filesystem::path unpack(std::string_view zip, const std::filesystem::path& destination,
                             const ArchiveLimits& limits = {});

/// True for a relative name that is safe to create below a folder (the rules of `unpack`).
[[nodiscard]] bool is_safe_entry_name(std::string_view name) noexcept;

}  // namespace vdk::job

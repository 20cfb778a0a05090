// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vdk::plugin::detail {

enum class Packing { none, gzip, bzip2, xz, zstd };

/// What a file is by its first bytes.
struct Kind {
  bool zip = false;
  bool tar = false;
  Packing packing = Packing::none;
};
[[nodiscard]] Kind kind_of_bytes(std::string_view first_block);

/// What a file claims to be by its name.
struct Claim {
  Kind kind;
  std::string stem;  ///< the name without the suffix of the compression
};
[[nodiscard]] Claim kind_of_name(std::string_view file_name);

/// True for the first block of a tar, by its own checksum.
[[nodiscard]] bool is_tar_header(std::string_view block) noexcept;

}  // namespace vdk::plugin::detail

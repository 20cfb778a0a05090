// SPDX-License-Identifier: Apache-2.0
#include "plugin/unpack/kind.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "vdk/core/text.hpp"

namespace vdk::plugin::detail {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t k_block = 512;
constexpr std::size_t k_checksum_at = 148;
constexpr std::size_t k_checksum_size = 8;

constexpr std::array<std::pair<std::string_view, Packing>, 4> k_marks = {{{"\x1f\x8b"sv, Packing::gzip},
                                                                          {"BZh"sv, Packing::bzip2},
                                                                          {"\xfd\x37zXZ\0"sv, Packing::xz},
                                                                          {"\x28\xb5\x2f\xfd"sv, Packing::zstd}}};

constexpr std::array<std::pair<std::string_view, Packing>, 8> k_tar_suffixes = {{{".tar.gz", Packing::gzip},
                                                                                 {".tgz", Packing::gzip},
                                                                                 {".tar.bz2", Packing::bzip2},
                                                                                 {".tbz2", Packing::bzip2},
                                                                                 {".tar.xz", Packing::xz},
                                                                                 {".txz", Packing::xz},
                                                                                 {".tar.zst", Packing::zstd},
                                                                                 {".tzst", Packing::zstd}}};

constexpr std::array<std::pair<std::string_view, Packing>, 4> k_suffixes = {
    {{".gz", Packing::gzip}, {".bz2", Packing::bzip2}, {".xz", Packing::xz}, {".zst", Packing::zstd}}};

}  // namespace

bool is_tar_header(std::string_view block) noexcept {
  if (block.size() < k_block || block.front() == '\0') {
    return false;
  }
  std::uint32_t told = 0;
  bool digits = false;
  for (const char c : block.substr(k_checksum_at, k_checksum_size)) {
    if (c >= '0' && c <= '7') {
      told = told * 8 + static_cast<std::uint32_t>(c - '0');
      digits = true;
    } else if (digits) {
      break;
    }
  }
  std::uint32_t sum = k_checksum_size * static_cast<std::uint32_t>(' ');
  for (std::size_t i = 0; i < k_block; ++i) {
    if (i < k_checksum_at || i >= k_checksum_at + k_checksum_size) {
      sum += static_cast<unsigned char>(block[i]);
    }
  }
  return digits && told == sum;
}

Kind kind_of_bytes(std::string_view first_block) {
  if (first_block.starts_with("PK\x03\x04"sv) || first_block.starts_with("PK\x05\x06"sv)) {
    return {.zip = true};
  }
  for (const auto& [mark, packing] : k_marks) {
    if (first_block.starts_with(mark)) {
      return {.packing = packing};
    }
  }
  return {.tar = is_tar_header(first_block)};
}

Claim kind_of_name(std::string_view file_name) {
  const std::string lower = text::lower(file_name);
  if (lower.ends_with(".zip")) {
    return {{.zip = true}, std::string(file_name)};
  }
  for (const auto& [suffix, packing] : k_tar_suffixes) {
    if (lower.ends_with(suffix)) {
      return {{.tar = true, .packing = packing}, std::string(file_name)};
    }
  }
  for (const auto& [suffix, packing] : k_suffixes) {
    if (lower.ends_with(suffix) && lower.size() > suffix.size()) {
      return {{.packing = packing}, std::string(file_name.substr(0, file_name.size() - suffix.size()))};
    }
  }
  return {{.tar = lower.ends_with(".tar")}, std::string(file_name)};
}

}  // namespace vdk::plugin::detail

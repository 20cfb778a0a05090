// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "vdk/core/text.hpp"

namespace vdk::text {

namespace {

struct Range {
  unsigned first;
  unsigned last;
};

// Blocks of Unicode's East Asian Width property W and F, merged; our own table because the C library's wcwidth depends
// on the locale of the process.
constexpr std::array k_wide = std::to_array<Range>(
    {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},  {0x2614, 0x2615},
     {0x2648, 0x2653},   {0x26AA, 0x26AB},   {0x2705, 0x2705},   {0x274C, 0x274C},  {0x2753, 0x2755},
     {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2E80, 0x303E},  {0x3041, 0x33FF},
     {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97C},  {0xAC00, 0xD7A3},
     {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
     {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}});

constexpr std::array k_zero = std::to_array<Range>({{0x0300, 0x036F},
                                                    {0x0483, 0x0489},
                                                    {0x0591, 0x05BD},
                                                    {0x0610, 0x061A},
                                                    {0x064B, 0x065F},
                                                    {0x0E31, 0x0E31},
                                                    {0x0E34, 0x0E3A},
                                                    {0x0E47, 0x0E4E},
                                                    {0x1AB0, 0x1AFF},
                                                    {0x1DC0, 0x1DFF},
                                                    {0x200B, 0x200F},
                                                    {0x2060, 0x2064},
                                                    {0x20D0, 0x20FF},
                                                    {0xFE00, 0xFE0F},
                                                    {0xFE20, 0xFE2F},
                                                    {0xFEFF, 0xFEFF},
                                                    {0xE0100, 0xE01EF}});

template <typename Table>
bool contains(const Table& table, unsigned code) {
  const auto at = std::ranges::upper_bound(table, code, {}, &Range::first);
  return at != table.begin() && code <= std::prev(at)->last;
}

}  // namespace

std::size_t display_width(std::string_view s) noexcept {
  std::size_t width = 0;
  for (std::size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i]);
    const std::size_t length = lead < 0xC0U ? 1 : lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : 4;
    unsigned code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < s.size(); ++k) {
      code = (code << 6U) | (static_cast<unsigned char>(s[i + k]) & 0x3FU);
    }
    i += length;
    if (code < 0x20U || code == 0x7FU || contains(k_zero, code)) {
      continue;
    }
    width += contains(k_wide, code) ? 2U : 1U;
  }
  return width;
}

}  // namespace vdk::text

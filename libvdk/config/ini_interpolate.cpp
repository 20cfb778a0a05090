// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <utility>

#include "config/ini_lines.hpp"

namespace vdk::config::detail {
namespace {

constexpr int max_depth = 10;                 // Python's MAX_INTERPOLATION_DEPTH
constexpr std::size_t max_bytes = 4U << 20U;  // ten levels of references can otherwise grow without bound
constexpr std::size_t max_references = 100'000;

struct Expansion {
  const RawIni& ini;
  const RawOption& option;  ///< the one that is read
  const std::vector<const RawOption*>& scope;
  std::string result;
  std::size_t references = 0;

  [[noreturn]] void refuse(const RawOption& at, std::size_t offset, std::string why,
                           std::string countermeasures) const {
    SourceLocation location = ini.location(at, offset);
    throw Error(ErrorKind::configuration,
                {"cannot read the value of '" + option.key + "' in '" + ini.file + "'", std::move(why),
                 "Nothing in the file is used.", std::move(countermeasures)},
                std::move(location));
  }

  void add(std::string_view text) { result += text; }

  void expand(const RawOption& from, int depth) {
    const std::string_view value = from.value;
    if (depth > max_depth) {
      refuse(from, 0,
             "References with %( )s go more than " + std::to_string(max_depth) + " levels deep or in a circle.",
             "Write the value out in full.");
    }
    std::size_t at = 0;
    while (at < value.size()) {
      const std::size_t percent = value.find('%', at);
      add(value.substr(at, percent == std::string_view::npos ? percent : percent - at));
      if (percent == std::string_view::npos) {
        return;
      }
      at = reference(from, percent, depth);
    }
  }

  /// Handles what starts with the % at `percent`; returns where to go on.
  std::size_t reference(const RawOption& from, std::size_t percent, int depth) {
    const std::string_view value = from.value;
    const char next = percent + 1 < value.size() ? value[percent + 1] : '\0';
    if (next == '%') {
      add("%");
      return percent + 2;
    }
    if (next != '(') {
      refuse(from, percent, "A single % is the start of a reference such as %(name)s here.",
             "Write %% for a percent sign.");
    }
    const std::size_t close = value.find(')', percent);
    if (close == std::string_view::npos || close == percent + 2 || value.substr(close + 1, 1) != "s") {
      refuse(from, percent, "The reference does not have the form %(name)s.", "Write %% for a percent sign.");
    }
    const std::string name = lower_key(value.substr(percent + 2, close - percent - 2));
    const auto target = std::find_if(scope.begin(), scope.end(), [&](const RawOption* o) { return o->key == name; });
    if (target == scope.end()) {
      refuse(from, percent, "There is no key '" + name + "' in this section or in [DEFAULT].",
             "Correct the name, or write %% for a percent sign.");
    }
    if (++references > max_references || result.size() > max_bytes) {
      refuse(from, percent, "The value grows beyond every reasonable size by its references.",
             "Write the value out in full.");
    }
    if ((*target)->value.find('%') == std::string::npos) {
      add((*target)->value);
    } else {
      expand(**target, depth + 1);
    }
    return close + 2;
  }
};

/// Code point at the start of `s` and its length in bytes; `s` is valid UTF-8 and not empty.
std::pair<std::uint32_t, std::size_t> decode(std::string_view s) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < s.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(s[i])) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80U) {
    return {first, 1};
  }
  if (first < 0xE0U) {
    return {((first & 0x1FU) << 6U) | (byte(1) & 0x3FU), 2};
  }
  if (first < 0xF0U) {
    return {((first & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU), 3};
  }
  return {0x10000U, 4};
}

bool is_space(std::uint32_t c) noexcept {
  if (c < 0x80U) {
    return c == ' ' || (c >= 0x09U && c <= 0x0DU) || (c >= 0x1CU && c <= 0x1FU);
  }
  return c == 0x85U || c == 0xA0U || c == 0x1680U || (c >= 0x2000U && c <= 0x200AU) || c == 0x2028U || c == 0x2029U ||
         c == 0x202FU || c == 0x205FU || c == 0x3000U;
}

std::size_t last_character(std::string_view s) noexcept {
  std::size_t at = s.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(s[at]) & 0xC0U) == 0x80U) {
    --at;
  }
  return at;
}

/// Lower case of the two-byte letters of Latin-1, Greek and Cyrillic; others stay as they are.
std::uint32_t lower_two_bytes(std::uint32_t c) noexcept {
  const bool plain = (c >= 0xC0U && c <= 0xDEU && c != 0xD7U) || (c >= 0x391U && c <= 0x3A9U && c != 0x3A2U) ||
                     (c >= 0x410U && c <= 0x42FU);
  if (plain) {
    return c + 0x20U;
  }
  return c >= 0x400U && c <= 0x40FU ? c + 0x50U : c;
}

}  // namespace

std::string_view strip_left(std::string_view s) noexcept {
  while (!s.empty()) {
    const auto [c, length] = decode(s);
    if (!is_space(c)) {
      break;
    }
    s.remove_prefix(std::min(length, s.size()));
  }
  return s;
}

std::string_view strip_right(std::string_view s) noexcept {
  while (!s.empty()) {
    const std::size_t at = last_character(s);
    if (!is_space(decode(s.substr(at)).first)) {
      break;
    }
    s.remove_suffix(s.size() - at);
  }
  return s;
}

std::string_view strip(std::string_view s) noexcept { return strip_right(strip_left(s)); }

std::string lower_key(std::string_view s) {
  std::string result;
  while (!s.empty()) {
    const auto [c, length] = decode(s);
    const std::size_t used = std::min(length, s.size());
    if (c >= 'A' && c <= 'Z') {
      result += static_cast<char>(c + 0x20U);
    } else if (used == 2) {
      const std::uint32_t small = lower_two_bytes(c);
      result += static_cast<char>(0xC0U | (small >> 6U));
      result += static_cast<char>(0x80U | (small & 0x3FU));
    } else {
      result += s.substr(0, used);
    }
    s.remove_prefix(used);
  }
  return result;
}

std::string interpolate(const RawIni& ini, const RawOption& option, const std::vector<const RawOption*>& scope) {
  Expansion expansion{ini, option, scope, {}, 0};
  expansion.expand(option, 1);
  return std::move(expansion.result);
}

}  // namespace vdk::config::detail

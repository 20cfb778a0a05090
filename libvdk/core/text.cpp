// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vdk::text {

namespace {

constexpr std::string_view k_space = " \t\r\n\f\v";

std::string map_ascii(std::string_view s, char first, char last, int shift) {
  std::string out(s);
  for (char& c : out) {
    if (c >= first && c <= last) {
      c = static_cast<char>(c + shift);
    }
  }
  return out;
}

}  // namespace

std::string_view trim(std::string_view s) noexcept {
  const auto first = s.find_first_not_of(k_space);
  if (first == std::string_view::npos) {
    return {};
  }
  return s.substr(first, s.find_last_not_of(k_space) - first + 1);
}

std::string lower(std::string_view s) { return map_ascii(s, 'A', 'Z', 'a' - 'A'); }
std::string upper(std::string_view s) { return map_ascii(s, 'a', 'z', 'A' - 'a'); }

std::vector<std::string> split(std::string_view s, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const auto end = s.find(separator, start);
    parts.emplace_back(s.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) {
      return parts;
    }
    start = end + 1;
  }
}

std::vector<std::string> lines(std::string_view s) {
  std::vector<std::string> out;
  while (!s.empty()) {
    const auto end = s.find('\n');
    std::string_view line = s.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    out.emplace_back(line);
    s = end == std::string_view::npos ? std::string_view{} : s.substr(end + 1);
  }
  return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) {
      out += separator;
    }
    out += parts[i];
  }
  return out;
}

std::string replace_all(std::string s, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size()) {
    s.replace(at, from.size(), to);
  }
  return s;
}

std::string quoted_list(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) {
      out += i + 1 == items.size() ? " and " : ", ";
    }
    out += "'" + items[i] + "'";
  }
  return out;
}

bool is_valid_utf8(std::string_view s) noexcept {
  std::size_t i = 0;
  while (i < s.size()) {
    const auto lead = static_cast<unsigned char>(s[i]);
    std::size_t extra = 0;
    unsigned code = lead;
    if (lead < 0x80U) {
      extra = 0;
    } else if (lead >= 0xC2U && lead < 0xE0U) {
      extra = 1;
      code = lead & 0x1FU;
    } else if (lead >= 0xE0U && lead < 0xF0U) {
      extra = 2;
      code = lead & 0x0FU;
    } else if (lead >= 0xF0U && lead < 0xF5U) {
      extra = 3;
      code = lead & 0x07U;
    } else {
      return false;
    }
    if (i + extra >= s.size()) {
      return false;
    }
    for (std::size_t k = 1; k <= extra; ++k) {
      const auto next = static_cast<unsigned char>(s[i + k]);
      if ((next & 0xC0U) != 0x80U) {
        return false;
      }
      code = (code << 6U) | (next & 0x3FU);
    }
    const bool overlong = (extra == 2 && code < 0x800U) || (extra == 3 && code < 0x10000U);
    if (overlong || code > 0x10FFFFU || (code >= 0xD800U && code <= 0xDFFFU)) {
      return false;
    }
    i += extra + 1;
  }
  return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the matrix: a swap of neighbours looks two rows back.
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string> best;
  std::size_t best_distance = limit + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<bool> parse_bool(std::string_view s) {
  const std::string word = lower(trim(s));
  constexpr std::array<std::string_view, 5> k_true = {"true", "1", "yes", "y", "on"};
  constexpr std::array<std::string_view, 5> k_false = {"false", "0", "no", "n", "off"};
  if (std::ranges::find(k_true, word) != k_true.end()) {
    return true;
  }
  if (std::ranges::find(k_false, word) != k_false.end()) {
    return false;
  }
  return std::nullopt;
}

std::optional<long long> parse_int(std::string_view s) {
  s = trim(s);
  if (s.starts_with('+')) {
    s.remove_prefix(1);
  }
  long long value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (s.empty() || error != std::errc{} || end != s.data() + s.size()) {
    return std::nullopt;
  }
  return value;
}

std::string shell_quote(std::string_view s) {
  constexpr std::string_view k_safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:@%+,";
  if (!s.empty() && s.find_first_not_of(k_safe) == std::string_view::npos) {
    return std::string(s);
  }
  return "'" + replace_all(std::string(s), "'", "'\\''") + "'";
}

}  // namespace vdk::text

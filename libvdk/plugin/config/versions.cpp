// SPDX-License-Identifier: Apache-2.0
#include "plugin/config/versions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/install.hpp"

namespace vdk::plugin {
namespace {

constexpr std::size_t k_parts = 4;  // semver has three; a fourth is common enough

/// "1", "1.2", "1.x", "1.2.3-rc.1+build". A part that is missing or a wildcard is not given.
struct Parsed {
  std::array<std::uint64_t, k_parts> numbers{};
  std::size_t given = 0;
  bool wildcard = false;
  std::string_view pre;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_identifier(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }

bool are_identifiers(std::string_view text) {
  bool any = false;
  for (const char c : text) {
    if (c == '.' && !any) {
      return false;
    }
    if (c != '.' && !is_identifier(c)) {
      return false;
    }
    any = c != '.';
  }
  return any;
}

std::optional<Parsed> parse(std::string_view text) noexcept {
  Parsed out;
  if (text.starts_with('v') || text.starts_with('V')) {
    text.remove_prefix(1);
  }
  if (const auto build = text.find('+'); build != std::string_view::npos) {
    if (!are_identifiers(text.substr(build + 1))) {
      return std::nullopt;
    }
    text = text.substr(0, build);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    out.pre = text.substr(dash + 1);
    text = text.substr(0, dash);
    if (!are_identifiers(out.pre)) {
      return std::nullopt;
    }
  }
  std::size_t part = 0;
  while (true) {
    const auto dot = text.find('.');
    const std::string_view word = text.substr(0, dot);
    if (part == k_parts || word.empty()) {
      return std::nullopt;
    }
    if (word == "x" || word == "X" || word == "*") {
      out.wildcard = true;
    } else {
      std::uint64_t number = 0;
      const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
      if (problem != std::errc() || end != word.data() + word.size() || out.wildcard) {
        return std::nullopt;
      }
      out.numbers[part] = number;
      out.given = part + 1;
    }
    ++part;
    if (dot == std::string_view::npos) {
      return out.wildcard && !out.pre.empty() ? std::nullopt : std::optional(out);
    }
    text.remove_prefix(dot + 1);
  }
}

std::optional<Parsed> parse_version(std::string_view text) noexcept {
  const auto parsed = parse(text);
  return parsed && !parsed->wildcard ? parsed : std::nullopt;
}

int sign(bool less, bool greater) noexcept { return less ? -1 : greater ? 1 : 0; }

int compare_numbers(const Parsed& left, const Parsed& right) noexcept {
  return sign(left.numbers < right.numbers, right.numbers < left.numbers);
}

std::string_view next_identifier(std::string_view& rest) noexcept {
  const auto dot = rest.find('.');
  const std::string_view word = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return word;
}

bool is_number(std::string_view word) noexcept { return std::all_of(word.begin(), word.end(), is_digit); }

int compare_identifiers(std::string_view left, std::string_view right) noexcept {
  const bool left_number = is_number(left);
  const bool right_number = is_number(right);
  if (left_number != right_number) {
    return left_number ? -1 : 1;  // numbers have the lower precedence
  }
  if (left_number) {
    left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
    right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
    if (left.size() != right.size()) {
      return left.size() < right.size() ? -1 : 1;
    }
  }
  return sign(left < right, right < left);
}

int compare_pre(std::string_view left, std::string_view right) noexcept {
  if (left.empty() || right.empty()) {
    return sign(!left.empty() && right.empty(), left.empty() && !right.empty());
  }
  while (!left.empty() && !right.empty()) {
    if (const int order = compare_identifiers(next_identifier(left), next_identifier(right)); order != 0) {
      return order;
    }
  }
  return sign(left.empty() && !right.empty(), !left.empty() && right.empty());
}

int compare(const Parsed& left, const Parsed& right) noexcept {
  const int order = compare_numbers(left, right);
  return order != 0 ? order : compare_pre(left.pre, right.pre);
}

struct Comparator {
  std::string op;
  std::string_view text;
  std::optional<Parsed> version;
};

/// The first version after all that share the first `kept` parts.
Parsed next_after(const Parsed& version, std::size_t kept) {
  Parsed out;
  std::copy_n(version.numbers.begin(), kept, out.numbers.begin());
  ++out.numbers[kept - 1];
  return out;
}

bool below_next(const Parsed& version, const Parsed& base, std::size_t kept) {
  return kept == 0 || compare_numbers(version, next_after(base, kept)) < 0;
}

/// Parts that ^ keeps: up to and with the first one that is not 0.
std::size_t caret_parts(const Parsed& base) {
  for (std::size_t i = 0; i < base.given; ++i) {
    if (base.numbers[i] != 0) {
      return i + 1;
    }
  }
  return base.given;
}

bool fits(const Comparator& comparator, std::string_view text, const std::optional<Parsed>& version) {
  if (!comparator.version || !version) {
    return (comparator.op == "!=") != (comparator.text == text);
  }
  const Parsed& base = *comparator.version;
  const int order = compare(*version, base);
  const std::string& op = comparator.op;
  if (base.wildcard) {
    const bool inside = compare_numbers(*version, base) >= 0 && below_next(*version, base, base.given);
    if (op == ">" || op == "<=") {
      return (op == ">") != (compare_numbers(*version, base) < 0 || inside);
    }
    return op == "!=" ? !inside : op == ">=" ? order >= 0 : op == "<" ? order < 0 : inside;
  }
  if (op == "^") {
    return order >= 0 && below_next(*version, base, caret_parts(base));
  }
  if (op == "~") {
    return order >= 0 && below_next(*version, base, std::min<std::size_t>(base.given, 2));
  }
  return op == ">="   ? order >= 0
         : op == "<=" ? order <= 0
         : op == ">"  ? order > 0
         : op == "<"  ? order < 0
         : op == "!=" ? order != 0
                      : order == 0;
}

/// The comparators of one alternative; a message instead when it cannot be read.
std::optional<std::string> read_comparators(std::string_view text, std::vector<Comparator>& out) {
  while (true) {
    const auto start = text.find_first_not_of(" \t,");
    if (start == std::string_view::npos) {
      return std::nullopt;
    }
    text.remove_prefix(start);
    std::string op;
    for (const std::string_view known : {">=", "<=", "!=", "==", "^", "~", ">", "<", "="}) {
      if (text.starts_with(known)) {
        op = known == "=" || known == "==" ? "" : known;
        text.remove_prefix(known.size());
        break;
      }
    }
    text = text::trim(text);
    const std::string_view word = text.substr(0, text.find_first_of(" \t,"));
    text.remove_prefix(word.size());
    Comparator one{.op = op, .text = word, .version = parse(word)};
    if (word.empty()) {
      return "a version is missing after '" + op + "'";
    }
    if (!one.version && (!op.empty() || !is_plugin_version(word))) {
      return "'" + std::string(word) + "' is no version such as 1.2.3 or 1.x";
    }
    out.push_back(std::move(one));
  }
}

std::vector<std::string_view> alternatives(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const auto bar = text.find("||");
    out.push_back(text::trim(text.substr(0, bar)));
    if (bar == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(bar + 2);
  }
}

/// Pre-releases are taken only where the constraint names one of the same release.
bool admits_pre(const std::vector<Comparator>& all, const Parsed& version) {
  return version.pre.empty() || std::any_of(all.begin(), all.end(), [&](const Comparator& one) {
           return one.version && !one.version->pre.empty() && compare_numbers(*one.version, version) == 0;
         });
}

}  // namespace

int compare_versions(std::string_view left, std::string_view right) noexcept {
  const auto a = parse_version(left);
  const auto b = parse_version(right);
  if (a && b) {
    return compare(*a, *b);
  }
  if (a || b) {
    return a ? 1 : -1;  // what is no version stands before every version
  }
  return sign(left < right, right < left);
}

bool satisfies(std::string_view version, std::string_view constraint) {
  const auto parsed = parse_version(version);
  for (const std::string_view alternative : alternatives(constraint)) {
    std::vector<Comparator> comparators;
    if (const auto mistake = read_comparators(alternative, comparators)) {
      throw Error(ErrorKind::configuration, {.what = "cannot read the version '" + std::string(constraint) + "'",
                                             .why = *mistake,
                                             .consequences = "Nothing was changed.",
                                             .countermeasures = "Write for example 1.2.3, ^1.2, ~1.2 or >=1, <2."});
    }
    const bool all = std::all_of(comparators.begin(), comparators.end(),
                                 [&](const Comparator& one) { return fits(one, version, parsed); });
    if (all && (!parsed || admits_pre(comparators, *parsed))) {
      return true;
    }
  }
  return false;
}

bool is_constraint(std::string_view text) {
  if (text.find_first_of("^~<>=!*|, \t") != std::string_view::npos) {
    return true;
  }
  const auto parsed = parse(text);
  return parsed && parsed->wildcard;
}

std::optional<std::string> constraint_mistake(std::string_view text) {
  for (const std::string_view alternative : alternatives(text)) {
    std::vector<Comparator> comparators;
    if (alternative.empty()) {
      return "nothing stands beside ||";
    }
    if (auto mistake = read_comparators(alternative, comparators)) {
      return mistake;
    }
  }
  return std::nullopt;
}

std::optional<std::string> newest(const std::vector<std::string>& versions, std::string_view constraint) {
  std::optional<std::string> best;
  for (const std::string& version : versions) {
    const auto parsed = parse_version(version);
    // Without a constraint a release is wanted: neither a pre-release nor a text such as "nightly".
    const bool fitting = constraint.empty() ? parsed && parsed->pre.empty() : satisfies(version, constraint);
    if (!is_plugin_version(version) || !fitting) {
      continue;
    }
    const int order = best ? compare_versions(version, *best) : 1;
    if (order > 0 || (order == 0 && version > *best)) {
      best = version;
    }
  }
  return best;
}

bool is_plugin_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  if (text.empty() || text.size() > longest || text.front() < 'a' || text.front() > 'z') {
    return false;
  }
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; });
  // Device names of Windows, where a checked-out folder may land.
  static constexpr std::array<std::string_view, 4> devices = {"con", "prn", "aux", "nul"};
  const bool numbered = text.size() == 4 && (text.starts_with("com") || text.starts_with("lpt")) && is_digit(text[3]);
  return plain && !numbered && std::find(devices.begin(), devices.end(), text) == devices.end();
}

bool is_plugin_version(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto is_start = [](char c) { return is_identifier(c) && c != '-'; };
  return !text.empty() && text.size() <= longest && is_start(text.front()) &&
         text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_identifier(c) || c == '.' || c == '_' || c == '+';
         });
}

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "vdk/config/settings.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::config {
namespace {

/// Also as people misspell them.
constexpr std::array<std::string_view, 9> k_words{"passw", "pasw",  "passphrase", "psw",        "pwd",
                                                  "secre", "token", "credential", "private_key"};
/// Such a value says where the secret is, or of which kind, not what it is.
constexpr std::array<std::string_view, 8> k_harmless{"_file", "_fd",      "_type", "_url",
                                                     "_path", "_enabled", "_id",   "_claim_name"};

/// Keys that hold secrets in some section or other.
bool may_hold_secret(std::string key) {
  key = text::replace_all(text::replace_all(text::lower(key), "-", "_"), ".", "_");
  return is_secret_name(key) || key == "value" || key == "auth" || key == "service_account";
}

bool is_key_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

/// Where the value that begins at `start` ends. An ini value takes the rest of the line.
std::size_t end_of_value(const std::string& line, std::size_t start, bool ini) {
  if (const char quote = line[start]; quote == '"' || quote == '\'') {
    return std::min(line.find(quote, start + 1), line.size());
  }
  return ini ? line.size() : std::min(line.find_first_of(",}]", start), line.size());
}

bool is_reference(std::string_view value) {
  const std::size_t first = value.find_first_not_of("\"'");
  value.remove_prefix(first == std::string_view::npos ? 0 : first);
  return value.starts_with("env:") || value.starts_with("file:");
}

/// Where the password of an address at or after `from` begins and ends; nothing when there is none.
std::optional<std::pair<std::size_t, std::size_t>> find_password(const std::string& text, std::size_t from) {
  while ((from = text.find("://", from)) != std::string::npos) {
    from += 3;
    const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'<>", from), text.size());
    const std::size_t authority = std::min(text.find_first_of("/?#", from), end);
    // A password may have a slash in it that should have been escaped: the last at sign counts.
    const std::size_t at = end == 0 ? std::string::npos : text.rfind('@', end - 1);
    const std::size_t colon = text.find(':', from);
    if (at != std::string::npos && at > from && colon < at && colon < authority) {
      return std::pair(colon + 1, at);
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::string lower = text::lower(name);
  if (const Setting* setting = find_setting(lower)) {
    return setting->secret;
  }
  const bool said = std::any_of(k_words.begin(), k_words.end(),
                                [&](std::string_view word) { return lower.find(word) != std::string::npos; });
  return (said || lower.ends_with("_key")) &&
         std::none_of(k_harmless.begin(), k_harmless.end(), [&](std::string_view end) { return lower.ends_with(end); });
}

std::string mask_addresses(std::string text) {
  for (auto found = find_password(text, 0); found; found = find_password(text, found->second)) {
    text.replace(found->first, found->second - found->first, "********");
    found->second = found->first;
  }
  return text;
}

std::string mask_line(std::string line) {
  for (auto found = find_password(line, 0); found; found = find_password(line, found->second)) {
    std::fill(line.begin() + static_cast<long>(found->first), line.begin() + static_cast<long>(found->second), '*');
  }
  for (std::size_t at = line.find_first_of(":="); at != std::string::npos; at = line.find_first_of(":=", at + 1)) {
    const std::size_t last = at == 0 ? std::string::npos : line.find_last_not_of(" \t\"'", at - 1);
    std::size_t begin = last == std::string::npos ? 0 : last + 1;
    while (begin > 0 && is_key_character(line[begin - 1])) {
      --begin;
    }
    const std::size_t start = line.find_first_not_of(" \t", at + 1);
    if (last == std::string::npos || start == std::string::npos || line[start] == '{' || line[start] == '[' ||
        !may_hold_secret(line.substr(begin, last + 1 - begin))) {
      continue;
    }
    const std::size_t end = end_of_value(line, start, line[at] == '=');
    if (!is_reference(std::string_view(line).substr(start, end - start))) {
      std::fill(line.begin() + static_cast<long>(start), line.begin() + static_cast<long>(end), '*');
    }
    at = std::max(at, end - 1);
  }
  return line;
}

std::vector<std::string> secret_variables() {
  std::vector<std::string> names;
  for (const std::string& name : process::environment_names()) {
    if (name.starts_with("VDK_") && is_secret_name(name.substr(4))) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace vdk::config

// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/secrets.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "vdk/config/settings.hpp"
#include "vdk/core/text.hpp"

namespace vdk::config {
namespace {

constexpr std::array<std::string_view, 7> k_words{"password", "passwd",     "passphrase", "secret",
                                                  "token",    "credential", "private_key"};
/// Such a value says where the secret is, or of which kind, not what it is.
constexpr std::array<std::string_view, 8> k_harmless{"_file", "_fd",      "_type", "_url",
                                                     "_path", "_enabled", "_id",   "_claim_name"};

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
  std::size_t from = 0;
  while ((from = text.find("://", from)) != std::string::npos) {
    from += 3;
    const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'<>", from), text.size());
    const std::size_t authority = std::min(text.find_first_of("/?#", from), end);
    // A password may have a slash in it that should have been escaped: the last at sign counts.
    std::size_t at = text.rfind('@', end == 0 ? 0 : end - 1);
    if (at == std::string::npos || at < from || at >= end) {
      continue;
    }
    const std::size_t colon = text.find(':', from);
    if (colon < at && colon < authority) {
      text.replace(colon + 1, at - colon - 1, "********");
    }
  }
  return text;
}

std::vector<std::string> secret_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const std::string_view name = pair.substr(0, pair.find('='));
    if (name.starts_with("VDK_") && is_secret_name(name.substr(4))) {
      names.emplace_back(name);
    }
  }
  return names;
}

}  // namespace vdk::config

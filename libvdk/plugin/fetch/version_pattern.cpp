// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/version_pattern.hpp"

#include <algorithm>

#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

constexpr std::string_view k_placeholder = "{version}";
constexpr std::size_t k_longest = 64;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

bool is_version_text(std::string_view text) noexcept {
  return !text.empty() && text.size() <= k_longest && is_alphanumeric(text[0]) &&
         text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_alphanumeric(c) || c == '.' || c == '_' || c == '+' || c == '-';
         });
}

VersionPattern::VersionPattern(std::string pattern)
    : m_pattern(std::move(pattern)), m_first(m_pattern.find(k_placeholder)) {
  if (m_first == std::string::npos) {
    throw Error(ErrorKind::configuration, {.what = "cannot look for versions of '" + m_pattern + "'",
                                           .why = "the path has no {version} in it",
                                           .consequences = "It is not known which versions exist.",
                                           .countermeasures = "Write {version} where the version stands in the path."});
  }
}

std::string VersionPattern::folder() const {
  const std::string before = prefix();
  const std::size_t slash = before.rfind('/');
  return slash == std::string::npos ? "" : before.substr(0, slash + 1);
}

std::size_t VersionPattern::depth() const {
  return static_cast<std::size_t>(std::count(m_pattern.begin(), m_pattern.end(), '/'));
}

void VersionPattern::see(std::string_view name) {
  if (!name.starts_with(std::string_view(m_pattern).substr(0, m_first))) {
    return;
  }
  const std::string_view rest = name.substr(m_first);
  // Longest first, so that a-{version}.zip does not stop at the 1 of a-1.2.zip.
  for (std::size_t length = std::min(rest.size(), k_longest); length > 0; --length) {
    const std::string version(rest.substr(0, length));
    if (is_version_text(version) && text::replace_all(m_pattern, k_placeholder, version) == name) {
      m_found.insert(version);
      return;
    }
  }
}

}  // namespace vdk::plugin

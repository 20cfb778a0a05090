// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

/// Collects the versions that names show, by a path with {version} in it.
class VersionPattern {
 public:
  /// Throws Error(configuration) without a {version}.
  explicit VersionPattern(std::string pattern);
  /// What every name starts with: the text before {version}.
  [[nodiscard]] std::string prefix() const { return m_pattern.substr(0, m_first); }
  /// The folder part of it: empty, or ends with a slash.
  [[nodiscard]] std::string folder() const;
  /// How many slashes a fitting name has.
  [[nodiscard]] std::size_t depth() const;
  void see(std::string_view name);
  [[nodiscard]] std::vector<std::string> versions() const { return {m_found.begin(), m_found.end()}; }

 private:
  std::string m_pattern;
  std::size_t m_first;
  std::set<std::string> m_found;
};

/// [A-Za-z0-9][A-Za-z0-9._+-]{0,63} without "..": what a version has to look like before it is a part of a path.
[[nodiscard]] bool is_version_text(std::string_view text) noexcept;

}  // namespace vdk::plugin

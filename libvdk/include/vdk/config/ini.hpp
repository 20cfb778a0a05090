// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk::config {

/// One value of an ini file and where it stands.
struct IniValue {
  std::string value;
  SourceLocation location;  ///< line of the key; column of the value
};

/// A file in the format of Python's configparser (default settings, `BasicInterpolation`): keys are lower-cased,
/// sections keep their case, [DEFAULT] is inherited, `#` and `;` start comments only at the start of a line,
/// continuation lines are joined with \n, duplicates and a bare `%` are located errors.
class IniFile {
 public:
  /// Throws Error(configuration) with the location for whatever Python's configparser refuses.
  [[nodiscard]] static IniFile parse(std::string_view content, const std::string& file_name);
  [[nodiscard]] static IniFile load(const std::filesystem::path& path);

  /// Interpolated value, [DEFAULT] included; nothing when absent. `key` in any case.
  [[nodiscard]] std::optional<std::string> get(std::string_view section, std::string_view key) const;
  /// Value with its place; interpolated.
  [[nodiscard]] const IniValue* find(std::string_view section, std::string_view key) const;
  [[nodiscard]] std::vector<std::string> sections() const;                      ///< in file order, without DEFAULT
  [[nodiscard]] std::vector<std::string> keys(std::string_view section) const;  ///< in file order, then inherited ones
  [[nodiscard]] const std::string& file_name() const noexcept { return m_file_name; }

 private:
  struct Section {
    std::string name;
    std::vector<std::string> order;
    std::map<std::string, IniValue, std::less<>> values;
  };
  std::string m_file_name;
  std::vector<Section> m_sections;
  Section m_defaults;
};

/// Set or remove (nothing given) one key of an ini file, keeping every other byte; the file is replaced atomically
/// with mode 0600 and created with its folder when missing.
void update_ini(const std::filesystem::path& path, const std::string& section, const std::string& key,
                const std::optional<std::string>& value);

}  // namespace vdk::config

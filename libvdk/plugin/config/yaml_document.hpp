// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vdk/plugin/config.hpp"

/// YAML that people write: parsed once, every mistake collected with its place.
namespace vdk::plugin::yaml {

/// A parsed file and what is wrong with it.
class Document {
 public:
  /// Parse a file. Too large, not YAML, several documents: problems, and `root` stays undefined. A missing file is
  /// Error(not_found).
  Document(const std::filesystem::path& file, std::vector<Problem>& problems, std::uint64_t max_bytes);

  [[nodiscard]] const YAML::Node& root() const noexcept { return m_root; }
  /// True when there is a map to look into.
  [[nodiscard]] bool usable() const { return m_root.IsDefined() && m_root.IsMap(); }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return m_file; }
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return m_lines; }
  [[nodiscard]] SourceLocation where(const YAML::Mark& mark, std::size_t length = 1) const;

  void error(const SourceLocation& where, std::string message, std::string hint = {});
  void warning(const SourceLocation& where, std::string message, std::string hint = {});
  [[nodiscard]] std::vector<Problem>& problems() noexcept { return m_problems; }

 private:
  std::filesystem::path m_file;
  std::vector<Problem>& m_problems;
  std::vector<std::string> m_lines;
  YAML::Node m_root;
};

/// One map whose keys are known. Unknown ones (with the nearest known one), repeated ones and ones in other case (a
/// warning) are reported when it is made; values of the wrong kind when they are asked for.
class Section {
 public:
  struct Entry {
    YAML::Node value;
    SourceLocation key;
  };

  /// `what` names the map in messages: "a provider", "the policy".
  Section(Document& document, const YAML::Node& node, std::string what, const std::vector<std::string>& known);

  [[nodiscard]] bool has(const std::string& key) const { return m_entries.contains(key); }
  /// Nothing when the key is missing or has no value (`key:`).
  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] const std::map<std::string, Entry>& entries() const noexcept { return m_entries; }
  /// Where the value of a key stands, else where the map stands.
  [[nodiscard]] SourceLocation where(const std::string& key) const;
  [[nodiscard]] const SourceLocation& where() const noexcept { return m_where; }

  [[nodiscard]] std::string text(const std::string& key, std::string fallback = {});
  /// The same, and an error when it is missing or empty.
  [[nodiscard]] std::string required(const std::string& key, const std::string& example);
  [[nodiscard]] bool flag(const std::string& key, bool fallback);
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t fallback, std::int64_t lowest,
                                     std::int64_t highest);
  /// A list of texts; one text alone is a list of one.
  [[nodiscard]] std::vector<std::string> texts(const std::string& key);
  /// The items of a list; an error when it is something else.
  [[nodiscard]] std::vector<YAML::Node> items(const std::string& key);

  void error(const std::string& key, std::string message, std::string hint = {});
  void warning(const std::string& key, std::string message, std::string hint = {});

 private:
  Document& m_document;
  std::string m_what;
  SourceLocation m_where;
  std::map<std::string, Entry> m_entries;
};

}  // namespace vdk::plugin::yaml

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/config/yaml_document.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin::yaml {

/// Reads `questions` and what hangs below them.
class QuestionReader {
 public:
  explicit QuestionReader(Document& document) : m_document(document) {}
  /// The list `key` of a section.
  [[nodiscard]] std::vector<Question> read(Section& section, const std::string& key) {
    return read_list(section, key, 0);
  }

 private:
  std::vector<Question> read_list(Section& section, const std::string& key, unsigned depth);
  Question read_one(const YAML::Node& node, unsigned depth);
  void read_type(Question& question, Section& section);
  void read_options(Question& question, Section& section);
  void read_condition(Question& question, const YAML::Node& node);
  void read_branches(Question& question, Section& section, unsigned depth);
  void check_name(const Question& question, Section& section);
  void check_options(const Question& question, Section& section);
  void check_bounds(const Question& question, Section& section);
  void check_default(const Question& question, Section& section);

  Document& m_document;
  std::set<std::string> m_names;  ///< lower case, of the questions before this one
  std::size_t m_count = 0;
};

}  // namespace vdk::plugin::yaml

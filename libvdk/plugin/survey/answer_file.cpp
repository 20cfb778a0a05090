// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "plugin/config/yaml_document.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/survey.hpp"

namespace vdk::plugin {
namespace {

std::string value_of(yaml::Document& document, const std::string& name, const YAML::Node& node) {
  if (node.IsNull()) {
    return {};
  }
  if (node.IsScalar()) {
    return node.Scalar();
  }
  std::vector<std::string> several;
  bool plain = node.IsSequence();
  for (const auto& item : plain ? node : YAML::Node(YAML::NodeType::Sequence)) {
    plain = plain && item.IsScalar();
    several.push_back(item.IsScalar() ? item.Scalar() : "");
  }
  if (!plain) {
    document.error(document.where(node.Mark()), "the answer to '" + name + "' must be one value or a list of values");
  }
  return text::join(several, ",");
}

}  // namespace

std::map<std::string, GivenAnswer> read_answers(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  yaml::Document document(file, problems, Limits{}.yaml_bytes);
  std::map<std::string, GivenAnswer> answers;
  std::map<std::string, std::string> seen;
  for (const auto& item : document.usable() ? document.root() : YAML::Node(YAML::NodeType::Map)) {
    const SourceLocation at = document.where(item.first.Mark());
    const std::string name = item.first.IsScalar() ? item.first.Scalar() : "";
    if (!seen.emplace(text::lower(name), name).second) {
      document.error(at, "a second answer to '" + name + "'", "keep one of the two");
    }
    answers[name] = {value_of(document, name, item.second), file.filename().string() + ":" + std::to_string(at.line)};
  }
  if (const auto error = to_error(file.string(), problems)) {
    throw Error(*error);
  }
  return answers;
}

std::string write_answers(const std::vector<std::pair<std::string, std::string>>& answers) {
  std::string out;
  for (const auto& [name, value] : answers) {
    out += name + ": " + nlohmann::json(value).dump() + "\n";  // JSON's strings are YAML's
  }
  return out.empty() ? "{}\n" : out;
}

}  // namespace vdk::plugin

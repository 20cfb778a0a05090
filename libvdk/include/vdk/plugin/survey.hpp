// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vdk/plugin/yaml_plugin.hpp"

/// The questions of a plugin and who answers them.
namespace vdk::plugin {

/// An answer that was given before anybody is asked.
struct GivenAnswer {
  std::string value;
  std::string source;  ///< for messages: "--set", "answers.yaml:3"
};

struct SurveyInputs {
  std::map<std::string, GivenAnswer> given;  ///< by the question's name, in any case
  bool defaults = false;                     ///< take defaults without asking
  /// Ask a person: the question, the default, and why the answer before was refused. Null = there is nobody to ask.
  std::function<std::string(const Question&, const std::string& fallback, const std::string& mistake)> ask;
  std::function<std::optional<std::string>(const std::string& variable)> environment;
};

struct SurveyProblem {
  std::string question;
  std::string message;  ///< "is missing", "from --set: must be at least 3"
};

struct SurveyResult {
  std::vector<std::pair<std::string, std::string>> answers;  ///< in the order of the questions
  std::vector<std::pair<std::string, std::string>> secrets;  ///< values that belong into the service, never into a file
  std::vector<std::string> wanted_secrets;                   ///< secrets that the answers refer to
  std::vector<std::string> unused;                           ///< given for a question that was not asked
  std::vector<SurveyProblem> problems;                       ///< everything that is missing or wrong
};

/// Walk through the questions. An answer comes from what was given, else the question's variable, else the person, else
/// the default. A secret's answer is a reference `{{.secret.NAME}}`; its value is kept apart.
[[nodiscard]] SurveyResult survey(const YamlPlugin& plugin, const SurveyInputs& inputs);

/// Answers and the plugin's default configuration together: an answer wins unless it is empty or the default insists.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> make_config(
    const YamlPlugin& plugin, const std::vector<std::pair<std::string, std::string>>& answers);

/// Answers of a YAML or JSON file: one value, or a list for a multiselect, for each name. Throws Error(configuration).
[[nodiscard]] std::map<std::string, GivenAnswer> read_answers(const std::filesystem::path& file);
/// The same as text, in the order given.
[[nodiscard]] std::string write_answers(const std::vector<std::pair<std::string, std::string>>& answers);

/// A plugin that `vdk create --plugin` can use.
struct FoundPlugin {
  YamlPlugin plugin;
  std::string sha256;   ///< of the installed tree, else of the file
  std::string version;  ///< the one of several in its file that is wanted; empty = the file's own
  std::string origin;   ///< "file", "vdk" (ships with it), "install", "sync:SERVER"
};
/// FILE[@VERSION], or NAME[@VERSION] among the installed and synced plugins of `plugin_dir`, then those that ship with
/// vdk. Throws Error(not_found) that names what there is.
[[nodiscard]] FoundPlugin find_plugin(const std::string& wanted, const std::filesystem::path& plugin_dir);
/// Files of the plugins that ship with vdk.
[[nodiscard]] std::vector<std::filesystem::path> shipped_plugins();

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

enum class QuestionType { string, integer, floating, boolean, date, cron, path, secret, select, multiselect };
[[nodiscard]] std::string_view to_string(
    QuestionType type) noexcept;  ///< string int float bool date cron path secret ...

/// When a question is asked: the answer of another one compared with values.
struct Condition {
  std::string question;
  enum class Operator { equals, in, matches, is_not };
  Operator compare = Operator::equals;
  std::vector<std::string> values;
};

struct Question {
  std::string name;  ///< becomes the config key, as it is written
  QuestionType type = QuestionType::string;
  std::string prompt;
  std::string help;
  std::string default_value;
  std::vector<std::string> options;  ///< select (Optimus: `multiselect`), multiselect
  std::string pattern;               ///< RE2, unanchored search
  std::string validation_error;
  unsigned min_length = 0;  ///< in code points, 0 = off
  unsigned max_length = 0;
  std::optional<double> min;
  std::optional<double> max;
  bool required = false;
  std::string environment;  ///< variable that answers when nobody else does
  std::optional<Condition> when;
  struct Branch {
    std::string if_value;  ///< compared exactly
    std::vector<Question> questions;
  };
  std::vector<Branch> branches;
  SourceLocation where;
};

struct Entrypoint {
  std::string shell = "/bin/sh";
  std::string script;
};

struct DefaultConfig {
  std::string name;
  std::string value;
  bool override_answer = false;  ///< else a person's answer wins
};

/// One of several versions in one file; what it leaves out comes from the version `default`.
struct PluginVersion {
  std::string name;
  std::string image;
  Entrypoint entrypoint;
};

/// A plugin written as one YAML file: Optimus's keys, the RFC's capitalised ones, and the later fork's versions.
struct YamlPlugin {
  std::string name;
  std::string version;
  std::vector<PluginVersion>
      versions;  ///< of a file with `plugin_versions`; `image` and `entrypoint` are the default's
  std::string description;
  enum class Type { task, hook };
  Type type = Type::task;
  std::string hook_type;  ///< pre, post, fail
  std::string image;
  Entrypoint entrypoint;
  std::vector<std::string> depends_on;
  std::vector<Question> questions;
  std::vector<DefaultConfig> default_config;
  std::vector<std::pair<std::string, std::string>> default_assets;
  std::vector<std::string> verbatim_assets;  ///< glob patterns of assets in which `{{` is no macro
  std::filesystem::path file;
};

/// Parse and check everything that can be checked without asking: types, unknown keys with the nearest known one,
/// patterns compiled, defaults against their own checks, duplicate names, asset paths, macros. All problems at once;
/// no plugin when one of them is an error.
[[nodiscard]] std::optional<YamlPlugin> parse_yaml_plugin(const std::filesystem::path& file,
                                                          std::vector<Problem>& problems, const Limits& limits = {});
/// The same for a file that must be right; warnings are logged. Throws Error(configuration).
[[nodiscard]] YamlPlugin load_yaml_plugin(const std::filesystem::path& file);

/// True when an asset's `{{` is no macro: one of the patterns fits its name (`*` fits `/` too).
[[nodiscard]] bool is_verbatim(const std::vector<std::string>& patterns, const std::string& asset);

/// A relative path that may be made below `assets/`: the rules of archives, and no first dot.
[[nodiscard]] bool is_asset_name(const std::string& name) noexcept;

/// An answer as it is stored, or why it cannot be one.
struct CheckedAnswer {
  std::string value;
  std::string mistake;  ///< empty = fine
};
/// Trim an answer, hold it against its question's type, options, lengths, range and pattern, and give it its one
/// spelling (`yes` is `true`). An empty answer is wrong only where one is required.
[[nodiscard]] CheckedAnswer check_answer(const Question& question, std::string_view answer);
/// True when `answer` is what the condition waits for.
[[nodiscard]] bool is_met(const Condition& condition, const std::string& answer);
/// A name that can be an environment variable: [A-Za-z_][A-Za-z0-9_]*.
[[nodiscard]] bool is_variable_name(std::string_view name) noexcept;

}  // namespace vdk::plugin

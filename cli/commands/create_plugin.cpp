// SPDX-License-Identifier: Apache-2.0
// create --plugin: a job from a plugin and answers to its questions
#include "cli/commands/create_plugin.hpp"

#include <algorithm>

#include "cli/commands/plugin_setup.hpp"
#include "cli/view/survey.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/survey.hpp"

namespace vdk::cli {
namespace {

using Answers = std::map<std::string, plugin::GivenAnswer>;

[[noreturn]] void usage(const std::string& what, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::usage, {what, why, "nothing was created", countermeasures});
}

/// --answers first, --set over it.
Answers given_answers(const ParsedCommand& command) {
  Answers answers;
  if (const auto file = command.value("answers")) {
    answers = plugin::read_answers(*file);
  }
  for (const std::string& pair : command.all("set")) {
    const auto sign = pair.find('=');
    if (sign == std::string::npos || sign == 0) {
      usage("cannot read --set", "it has no '=' after a question's name", "write --set KEY=VALUE");
    }
    const std::string name = pair.substr(0, sign);
    std::erase_if(answers, [&](const auto& one) { return text::lower(one.first) == text::lower(name); });
    answers[name] = {pair.substr(sign + 1), "--set"};
  }
  return answers;
}

/// Answers to a hook's questions are called HOOK.KEY.
Answers take_scope(Answers& answers, const std::string& scope) {
  Answers taken;
  for (const auto& [name, answer] : answers) {
    if (name.starts_with(scope + ".")) {
      taken[name.substr(scope.size() + 1)] = answer;
    }
  }
  std::erase_if(answers, [&](const auto& one) { return one.first.starts_with(scope + "."); });
  return taken;
}

/// Collects what the task and the hooks need.
class Creator {
 public:
  explicit Creator(const ParsedCommand& command)
      : m_folder(plugin_folder(command, find_plugin_config(command))),
        m_given(given_answers(command)),
        m_defaults(command.has("defaults")) {
    if (can_prompt() && !command.has("no-input")) {
      m_ask = ask_question;
    }
  }

  plugin::FoundPlugin find(const std::string& wanted, plugin::YamlPlugin::Type type) const {
    plugin::FoundPlugin found = plugin::find_plugin(wanted, m_folder);
    if (found.plugin.type != type) {
      const bool task = type == plugin::YamlPlugin::Type::task;
      usage("cannot use the plugin '" + found.plugin.name + "' here", task ? "it is a hook" : "it is a task",
            task ? "give it with --hook, and a task with --plugin" : "give it with --plugin, and a hook with --hook");
    }
    return found;
  }

  /// Task and hooks first, so that an answer to no question at all is noticed in any order.
  void run(const std::vector<plugin::FoundPlugin>& plugins) {
    std::vector<Answers> given(plugins.size());
    for (std::size_t i = plugins.size(); i-- > 1;) {
      given[i] = take_scope(m_given, plugins[i].plugin.name);
    }
    given[0] = m_given;
    for (std::size_t i = 0; i < plugins.size(); ++i) {
      add(plugins[i], given[i], i > 0);
    }
    if (!m_problems.empty()) {
      const bool ask = !m_ask;
      usage("cannot answer the questions of '" + plugins[0].plugin.name + "'", text::join(m_problems, "\n  "),
            "give answers with --set KEY=VALUE or in a file with --answers" +
                std::string(ask ? "; a terminal would be asked" : ""));
    }
  }

  PluginCreation creation;
  std::vector<std::pair<std::string, std::string>> answers;

 private:
  void add(const plugin::FoundPlugin& found, const Answers& given, bool hook) {
    const std::string scope = hook ? found.plugin.name + "." : "";
    if (m_ask && hook && !found.plugin.questions.empty()) {
      log::info("Hook " + found.plugin.name + ":");
    }
    plugin::SurveyResult result = plugin::survey(
        found.plugin, {.given = given, .defaults = m_defaults, .ask = m_ask, .environment = process::environment});
    for (const plugin::SurveyProblem& problem : result.problems) {
      const bool missing = problem.message.starts_with("is ");
      m_problems.push_back(scope + problem.question + (missing ? " " : ": ") + problem.message);
    }
    for (const std::string& name : result.unused) {
      log::warning("the answer to '" + scope + name +
                   "' is not used: this question is not asked after the others' answers");
    }
    plugin::Unit unit = plugin::make_unit(found.plugin, found.version, found.sha256);
    unit.config = plugin::make_config(found.plugin, result.answers);
    (hook ? creation.job.hooks.emplace_back() : creation.job.task) = std::move(unit);
    for (const auto& [name, value] : result.answers) {
      answers.emplace_back(scope + name, value);
    }
    std::move(result.secrets.begin(), result.secrets.end(), std::back_inserter(creation.secrets));
    std::move(result.wanted_secrets.begin(), result.wanted_secrets.end(), std::back_inserter(creation.wanted_secrets));
    for (const auto& asset : found.plugin.default_assets) {
      add_asset(asset);
    }
  }

  void add_asset(const std::pair<std::string, std::string>& asset) {
    const bool taken = std::any_of(creation.assets.begin(), creation.assets.end(),
                                   [&](const auto& one) { return text::lower(one.first) == text::lower(asset.first); });
    if (taken) {
      m_problems.push_back("two of the plugins bring an asset '" + asset.first + "'");
    }
    creation.assets.push_back(asset);
  }

  std::filesystem::path m_folder;
  Answers m_given;
  bool m_defaults;
  std::function<std::string(const plugin::Question&, const std::string&, const std::string&)> m_ask;
  std::vector<std::string> m_problems;
};

}  // namespace

void check_plugin_options(const ParsedCommand& command) {
  if (command.has("plugin")) {
    if (command.has("template")) {
      usage("cannot use --template with --plugin", "a plugin decides what the folder holds", "leave out one of them");
    }
    return;
  }
  for (const char* option : {"hook", "config", "answers", "set", "defaults", "no-input", "save-answers", "dry-run"}) {
    if (command.has(option)) {
      usage(std::string("cannot use --") + option, "it is for jobs that are made from a plugin",
            "give the plugin with --plugin");
    }
  }
}

PluginCreation plan_from_plugin(const ParsedCommand& command, const std::string& job_name) {
  Creator creator(command);
  std::vector<plugin::FoundPlugin> plugins = {
      creator.find(command.value_or("plugin", ""), plugin::YamlPlugin::Type::task)};
  for (const std::string& hook : command.all("hook")) {
    plugins.push_back(creator.find(hook, plugin::YamlPlugin::Type::hook));
    for (std::size_t i = 0; i + 1 < plugins.size(); ++i) {
      if (plugins[i].plugin.name == plugins.back().plugin.name) {
        usage("cannot add the hook '" + hook + "'", "the job has it already", "give each hook once");
      }
    }
  }
  creator.creation.origin = plugins.front().origin;
  creator.creation.job.name = job_name;
  creator.run(plugins);
  if (const auto file = command.value("save-answers"); file && !command.has("dry-run")) {
    files::write_atomic(*file, plugin::write_answers(creator.answers));
    log::info("Saved the answers in " + *file + ".");
  }
  return std::move(creator.creation);
}

void fill_folder(const PluginCreation& creation, const std::filesystem::path& folder) {
  files::write_atomic(folder / "job.yaml", plugin::to_yaml(creation.job));
  for (const auto& [name, content] : creation.assets) {
    const std::filesystem::path file = folder / "assets" / name;
    std::filesystem::create_directories(file.parent_path());
    files::write_atomic(file, content);
  }
}

std::string preview(const PluginCreation& creation, bool json) {
  Json all;
  all["job.yaml"] = plugin::to_yaml(creation.job);
  for (const auto& [name, content] : creation.assets) {
    all["assets/" + name] = content;
  }
  if (json) {
    return dump_json(Json{{"files", all}}) + "\n";
  }
  std::string out;
  for (const auto& [name, content] : all.items()) {
    const std::string text = content.get<std::string>();
    out += (out.empty() ? "--- " : "\n--- ") + name + "\n" + text + (text.ends_with('\n') || text.empty() ? "" : "\n");
  }
  return out;
}

}  // namespace vdk::cli

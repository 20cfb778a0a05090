// SPDX-License-Identifier: Apache-2.0
// plugin verify, validate
#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/plugin/store.hpp"
#include "vdk/plugin/sync.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::cli {
namespace {

namespace fs = std::filesystem;

/// The plugin folder itself and one below it for each server.
std::vector<fs::path> stores_of(const fs::path& folder) {
  std::vector<fs::path> found = {folder};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "synced", error)) {
    if (entry.is_directory()) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin() + 1, found.end());
  return found;
}

bool is_yaml(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

std::vector<fs::path> yaml_files(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorKind::not_found, {.what = "there is no '" + path.string() + "'",
                                       .why = "the path does not exist",
                                       .consequences = "Nothing was checked.",
                                       .countermeasures = "Check --path."});
  }
  if (!fs::is_directory(path)) {
    return {path};
  }
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file() && is_yaml(entry.path())) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) {
    throw Error(ErrorKind::not_found, {.what = "there is no YAML plugin in '" + path.string() + "'",
                                       .why = "no file ends with .yaml or .yml",
                                       .consequences = "Nothing was checked.",
                                       .countermeasures = "Check --path."});
  }
  return found;
}

Json problem_row(const plugin::Problem& problem) {
  const bool warning = problem.severity == plugin::Problem::Severity::warning;
  return {{"severity", warning ? "warning" : "error"}, {"file", problem.location.file}, {"line", problem.location.line},
          {"column", problem.location.column},         {"message", problem.message},    {"hint", problem.hint}};
}

bool is_error(const plugin::Problem& problem) { return problem.severity == plugin::Problem::Severity::error; }

/// Every problem of every file, in order.
int show_problems(const std::vector<plugin::Problem>& problems, std::size_t files, bool json) {
  const auto errors = static_cast<std::size_t>(std::count_if(problems.begin(), problems.end(), is_error));
  if (json) {
    Json rows = Json::array();
    for (const plugin::Problem& problem : problems) {
      rows.push_back(problem_row(problem));
    }
    print(dump_json(Json{{"valid", errors == 0}, {"files", files}, {"problems", std::move(rows)}}) + "\n");
  } else {
    for (const plugin::Problem& problem : problems) {
      log_problem(problem);
    }
    log::info(std::to_string(files) + (files == 1 ? " file" : " files") + " checked, " + std::to_string(errors) +
              (errors == 1 ? " mistake." : " mistakes."));
  }
  return errors == 0 ? 0 : 2;
}

}  // namespace

int run_plugin_verify(const ParsedCommand& command, Context& context) {
  constexpr int drifted = 3;
  const fs::path folder =
      plugin_folder(command, command.has("plugin-dir") ? std::nullopt : find_plugin_config(command));
  Json rows = Json::array();
  std::string out;
  std::size_t plugins = 0;
  for (const fs::path& root : stores_of(folder)) {
    const plugin::Store store(root);
    const auto receipt = store.receipt();
    plugins += receipt ? receipt->plugins.size() : 0;
    for (const plugin::Store::Drift& drift : store.verify()) {
      rows.push_back({{"folder", root.string()}, {"plugin", drift.plugin}, {"drift", drift.what}});
      out += (drift.plugin.empty() ? "" : drift.plugin + ": ") + drift.what + "\n";
    }
  }
  const bool clean = rows.empty();
  if (context.json()) {
    print(dump_json(Json{{"clean", clean}, {"plugins", plugins}, {"drift", std::move(rows)}}) + "\n");
  } else {
    print(out);
    log::info(clean ? "The files of " + std::to_string(plugins) + " plugins are as installed."
                    : "`vdk plugin install` puts the installed files back.");
  }
  return clean ? 0 : drifted;
}

int run_plugin_validate(const ParsedCommand& command, Context& context) {
  std::vector<plugin::Problem> problems;
  std::vector<fs::path> files;
  if (const auto path = command.value("path")) {
    files = yaml_files(*path);
  } else {
    problems = plugin::check_config(named_plugin_config(command));
    if (std::none_of(problems.begin(), problems.end(), is_error)) {
      const plugin::Config config = plugin::load_config(plugin_config_file(command));
      (void)plugin::locked_plugins(config);
      for (const plugin::Available& one : plugin::available(config.plugin_dir)) {
        if (!one.yaml_file.empty()) {
          files.push_back(one.yaml_file);
        }
      }
    }
  }
  for (const fs::path& file : files) {
    (void)plugin::parse_yaml_plugin(file, problems);
  }
  return show_problems(problems, files.size() + (command.has("path") ? 0 : 1), context.json());
}

}  // namespace vdk::cli

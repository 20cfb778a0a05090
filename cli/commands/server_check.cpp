// SPDX-License-Identifier: Apache-2.0
// server --check-config
#include <algorithm>

#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

Json problem_rows(const std::filesystem::path& file, const std::vector<control::ConfigProblem>& problems) {
  Json rows = Json::array();
  for (const control::ConfigProblem& problem : problems) {
    Json row;
    row["severity"] = problem.warning ? "warning" : "error";
    row["key"] = problem.key;
    row["message"] = problem.message;
    row["hint"] = problem.hint;
    row["file"] = problem.line == 0 ? Json(nullptr) : Json(file.string());
    row["line"] = problem.line == 0 ? Json(nullptr) : Json(problem.line);
    row["column"] = problem.line == 0 ? Json(nullptr) : Json(problem.column);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string version_list(const control::ServerConfig& config) {
  std::vector<std::string> names;
  for (const control::PythonVersion& version : config.supported_python_versions) {
    names.push_back(version.version);
  }
  return names.empty() ? "those found on this machine" : text::join(names, ", ");
}

std::string summary(const control::ServerConfig& config) {
  const auto& embedded = config.embedded;
  std::string out = config.file.empty() ? "The configuration is ok (no file; defaults and environment).\n"
                                        : config.file.string() + ": ok\n";
  out += "  listens on       " + config.rest.host + ":" + std::to_string(config.rest.port) + "\n";
  out += std::string("  encryption       ") + (config.rest.tls.enabled() ? "on (https)" : "off") + "\n";
  out += "  home             " + embedded.home.string() + "\n";
  out += "  database         " + database_kind(embedded.database) + "\n";
  out += "  sources          " + (embedded.sources.url.empty() ? "in the home folder" : embedded.sources.url) + "\n";
  out += "  Python versions  " + version_list(config) + "\n";
  out += "  mails            " +
         (embedded.notifications.mail.url.empty() ? "off" : "through " + embedded.notifications.mail.url) + "\n";
  return out;
}

/// A default that the file names without a dictionary must be among the Pythons on PATH.
std::optional<control::ConfigProblem> undiscovered_default(const control::ServerConfigResult& result) {
  const std::string& wanted = result.config.default_python_version;
  if (wanted.empty() || !result.config.supported_python_versions.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const target::Interpreter& found : target::discover_interpreters({})) {
    names.push_back(found.version);
  }
  if (std::find(names.begin(), names.end(), wanted) != names.end()) {
    return std::nullopt;
  }
  control::ConfigProblem problem;
  problem.key = "defaultPythonVersion";
  problem.message = "version " + wanted + " is not among the Pythons found on PATH";
  problem.hint = names.empty() ? "install a Python, or name one in supportedPythonVersions"
                               : "use " + text::quoted_list(names) + ", or name it in supportedPythonVersions";
  if (const auto at = result.positions.find(problem.key); at != result.positions.end()) {
    problem.line = at->second.first;
    problem.column = at->second.second;
  }
  return problem;
}

}  // namespace

std::vector<control::ConfigProblem> check_interpreters(const control::ServerConfigResult& result) {
  std::vector<control::ConfigProblem> problems;
  for (const control::PythonVersion& version : result.config.supported_python_versions) {
    if (version.interpreter.empty()) {
      continue;
    }
    control::ConfigProblem problem;
    problem.key = "supportedPythonVersions." + version.version + ".interpreter";
    if (const auto at = result.positions.find(problem.key); at != result.positions.end()) {
      problem.line = at->second.first;
      problem.column = at->second.second;
    }
    const auto found = target::probe_interpreter(version.interpreter);
    if (!found) {
      problem.message = "'" + version.interpreter + "' does not run as a Python interpreter";
      problem.hint =
          "name an executable Python " + version.version + ", or leave the key out to have one found on PATH";
      problems.push_back(std::move(problem));
    } else if (found->version != version.version && !found->full_version.starts_with(version.version)) {
      problem.message = "'" + version.interpreter + "' is Python " + found->full_version + ", not " + version.version;
      problem.hint = "jobs that ask for " + version.version + " would get another Python";
      problems.push_back(std::move(problem));
    }
  }
  if (const auto wrong = undiscovered_default(result)) {
    problems.push_back(*wrong);
  }
  return problems;
}

void log_config_warnings(const ParsedCommand& command) {
  const auto file = server_config_file(command);
  const auto result = control::read_server_config(file, all_environment(), config::control_service_home());
  std::vector<std::string> unused;
  std::vector<control::ConfigProblem> problems = result.problems;
  const auto more = control::check_certificate(result);
  problems.insert(problems.end(), more.begin(), more.end());
  for (const control::ConfigProblem& problem : problems) {
    if (problem.unused) {
      unused.push_back(problem.key);
    } else if (problem.warning) {
      log::warning(problem.key + ": " + problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")"));
    }
  }
  if (!unused.empty()) {
    log::info("Not used by this server: " + text::join(unused, ", "));
  }
}

void require_interpreters(const ParsedCommand& command) {
  const auto file = server_config_file(command);
  const auto broken =
      check_interpreters(control::read_server_config(file, all_environment(), config::control_service_home()));
  if (!broken.empty()) {
    std::string all = control::format_problems(file, broken);
    all.erase(all.find_last_not_of('\n') + 1);
    throw Error(ErrorKind::configuration, {"the supported Python versions cannot be used", "\n" + all,
                                           "Jobs that ask for them could not be deployed.",
                                           "Install the interpreters, or correct supportedPythonVersions."});
  }
}

int check_server_config(const ParsedCommand& command, const Context& context) {
  const auto file = server_config_file(command);
  control::ServerConfigResult result =
      control::read_server_config(file, all_environment(), config::control_service_home());
  for (const auto& more : {check_interpreters(result), control::check_certificate(result)}) {
    result.problems.insert(result.problems.end(), more.begin(), more.end());
  }
  std::stable_sort(result.problems.begin(), result.problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  const auto errors = std::count_if(result.problems.begin(), result.problems.end(),
                                    [](const auto& problem) { return !problem.warning; });
  if (context.json()) {
    print(dump_json(Json{{"ok", errors == 0},
                         {"file", file.empty() ? Json(nullptr) : Json(file.string())},
                         {"problems", problem_rows(file, result.problems)}}) +
          "\n");
  } else {
    print(control::format_problems(file, result.problems));
    print(errors == 0
              ? summary(result.config)
              : std::to_string(errors) + (errors == 1 ? " mistake" : " mistakes") + "; the server would not start\n");
  }
  return errors == 0 ? 0 : exit_code(ErrorKind::configuration);
}

}  // namespace vdk::cli

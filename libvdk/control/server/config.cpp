// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "control/server/config_keys.hpp"
#include "control/server/config_reader.hpp"
#include "control/server/config_values.hpp"
#include "vdk/control/server_config.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

namespace fs = std::filesystem;
using namespace server_config;
using Environment = std::map<std::string, std::string>;

bool is_set(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.empty();
}

/// Kubernetes sets variables such as VDK_SERVER_PORT for a service of that name, so unknown ones are no mistakes.
void report_unknown_variables(const Environment& environment, std::vector<ConfigProblem>& problems) {
  std::vector<std::string> known;
  for (const ServerKey& key : server_keys()) {
    known.push_back(key.environment);
  }
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("VDK_SERVER_") || name == "VDK_SERVER_CONFIG" ||
        std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    const auto near = text::nearest(name, known);
    problems.push_back({.key = name,
                        .message = "no key of the configuration has this variable",
                        .hint = near ? "did you mean " + *near + "?" : "",
                        .warning = true});
  }
}

void take_environment(const Environment& environment, const fs::path& base, FileContent& content) {
  for (const KeySpec& spec : key_specs()) {
    const std::string& name = spec.key.environment;
    if (!is_set(environment, name)) {
      continue;
    }
    if (spec.apply == nullptr) {
      read_python_text(environment.at(name), name, base, content);
    } else {
      content.values[spec.key.key] = {.text = environment.at(name), .shown_key = name};
    }
  }
  // A password of the environment beats a password file of the configuration, and the other way round.
  for (const char* key :
       {"database.password", "deploymentGitPassword", "uploadGitReadWritePassword", "mail.smtp.password",
        "security.page.clientSecret", "security.authorization.webhookAuthorizationRefreshToken",
        "webHooks.postCreate.authorizationRefreshToken", "webHooks.postDelete.authorizationRefreshToken"}) {
    const std::string file = std::string(key) + "File";
    const bool from_file = is_set(environment, find_spec(file)->key.environment);
    if (content.values.contains(key) && content.values.contains(file)) {
      content.values.erase(from_file || content.values.at(key).line != 0 ? key : file);
    }
  }
}

void apply_values(const GivenValues& values, Draft& draft, std::vector<ConfigProblem>& problems) {
  for (const KeySpec& spec : key_specs()) {
    const auto found = values.find(spec.key.key);
    if (found == values.end() || spec.apply == nullptr) {
      continue;
    }
    if (auto mistake = spec.apply(draft, found->second.text)) {
      problems.push_back(problem_of(values, spec.key.key, std::move(*mistake)));
    }
  }
}

void report_readable_secrets(const fs::path& file, const GivenValues& values, std::vector<ConfigProblem>& problems) {
  std::error_code unknown;
  const auto mode = fs::status(file, unknown).permissions();
  if (unknown || (mode & (fs::perms::group_read | fs::perms::others_read)) == fs::perms::none) {
    return;
  }
  for (const ServerKey& key : server_keys()) {
    const auto found = values.find(key.key);
    if (key.secret && found != values.end() && found->second.line != 0) {
      problems.push_back(problem_of(
          values, key.key,
          {"others can read this password", "chmod 600 " + file.string() + ", or use a password file", true}));
    }
  }
}

}  // namespace

ServerConfigResult read_server_config(const fs::path& file, const Environment& environment,
                                      const fs::path& default_home) {
  ServerConfigResult result;
  const fs::path base = file.empty() ? fs::current_path() : fs::absolute(file).parent_path();
  FileContent content;
  if (!file.empty()) {
    content = read_yaml(files::read(file), base);
  }
  take_environment(environment, base, content);
  Draft draft;
  draft.base = base;
  draft.config.file = file;
  draft.config.embedded.home = default_home;
  draft.config.supported_python_versions = std::move(content.python_versions);
  result.problems = std::move(content.problems);
  apply_values(content.values, draft, result.problems);
  finish(draft, content.values, result.problems);
  if (!file.empty()) {
    report_readable_secrets(file, content.values, result.problems);
  }
  report_unknown_variables(environment, result.problems);
  for (const auto& [key, value] : content.values) {
    draft.config.given[key] = value.text;
  }
  std::stable_sort(result.problems.begin(), result.problems.end(), [](const auto& a, const auto& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  result.config = std::move(draft.config);
  result.positions = std::move(content.positions);
  return result;
}

ServerConfig load_server_config(const fs::path& file, const Environment& environment, const fs::path& default_home) {
  ServerConfigResult result = read_server_config(file, environment, default_home);
  std::erase_if(result.problems, [](const ConfigProblem& problem) { return problem.warning; });
  if (result.problems.empty()) {
    return std::move(result.config);
  }
  const std::size_t count = result.problems.size();
  std::string all = format_problems(file, result.problems);
  all.erase(all.find_last_not_of('\n') + 1);
  throw Error(ErrorKind::configuration,
              {"the server's configuration has " + std::to_string(count) + (count == 1 ? " mistake" : " mistakes"),
               "\n" + all, "The server does not start.",
               "Correct " + (file.empty() ? std::string("the variables") : "'" + file.string() + "'") +
                   "; `vdk server --check-config` checks it."});
}

PythonVersions configured_python_versions(const ServerConfig& config,
                                          const std::function<std::vector<PythonVersion>()>& discover) {
  PythonVersions result{.versions = config.supported_python_versions, .default_version = config.default_python_version};
  const auto incomplete = [](const PythonVersion& version) { return version.interpreter.empty(); };
  if (std::any_of(result.versions.begin(), result.versions.end(), incomplete)) {
    const std::vector<PythonVersion> found = discover();
    for (PythonVersion& version : result.versions) {
      const auto same = [&](const PythonVersion& one) { return one.version == version.version; };
      const auto match = std::find_if(found.begin(), found.end(), same);
      if (incomplete(version) && match != found.end()) {
        version.interpreter = match->interpreter;
      }
    }
  }
  if (result.default_version.empty() && !result.versions.empty()) {
    result.default_version = result.versions.front().version;
  }
  const auto is_default = [&](const PythonVersion& one) { return one.version == result.default_version; };
  if (!result.versions.empty() && std::none_of(result.versions.begin(), result.versions.end(), is_default)) {
    throw Error(ErrorKind::configuration,
                {"cannot use the supported Python versions",
                 "the default version '" + result.default_version + "' is not among them",
                 "No job can be deployed until this is corrected.", "Set defaultPythonVersion to one of them."});
  }
  return result;
}

namespace {

/// Taken over by RestServer::reload and by the catalog of Python versions.
bool changes_while_running(const std::string& key) {
  return key == "defaultPythonVersion" || key.starts_with("security.") || key.starts_with("tls.") ||
         key.starts_with("webHooks.");
}

}  // namespace

std::vector<std::string> keys_that_need_restart(const ServerConfig& running, const ServerConfig& next) {
  std::vector<std::string> keys;
  for (const ServerKey& key : server_keys()) {
    const auto value = [&](const ServerConfig& config) {
      const auto found = config.given.find(key.key);
      return found == config.given.end() ? std::string() : found->second;
    };
    const bool switched =  // on or off
        key.key == "tls.certificate" && running.rest.tls.enabled() != next.rest.tls.enabled();
    if ((switched || !changes_while_running(key.key)) && value(running) != value(next)) {
      keys.push_back(key.key);
    }
  }
  return keys;
}

std::map<std::string, std::string> vdk_options_of(const ServerConfig& config, const std::string& job) {
  std::map<std::string, std::string> options;
  for (const std::string& section : {std::string("default"), job}) {
    if (const auto found = config.vdk_options.find(section); found != config.vdk_options.end()) {
      for (const auto& [name, value] : found->second) {
        options[name] = value;
      }
    }
  }
  return options;
}

std::string format_problems(const fs::path& file, const std::vector<ConfigProblem>& problems) {
  const std::vector<std::string> lines =
      file.empty() ? std::vector<std::string>() : text::lines(files::read_if_exists(file).value_or(""));
  std::string out;
  for (const ConfigProblem& problem : problems) {
    const bool in_file = problem.line != 0;
    out += in_file ? file.string() + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": "
                   : std::string();
    out += problem.warning ? "warning: " : "error: ";
    out += (problem.key.empty() ? "" : problem.key + ": ") + problem.message + "\n";
    if (in_file && !problem.unused && problem.line <= lines.size()) {
      const std::string shown = mask_secrets(lines[problem.line - 1]);
      std::string indent;
      for (std::size_t i = 0; i + 1 < problem.column && i < shown.size(); ++i) {
        indent += shown[i] == '\t' ? '\t' : ' ';
      }
      out += "    " + shown + "\n    " + indent + "^\n";
    }
    out += problem.hint.empty() ? "" : "    hint: " + problem.hint + "\n";
  }
  return out;
}

const std::vector<ServerKey>& server_keys() {
  static const std::vector<ServerKey> keys = [] {
    std::vector<ServerKey> all;
    for (const KeySpec& spec : key_specs()) {
      all.push_back(spec.key);
    }
    return all;
  }();
  return keys;
}

}  // namespace vdk::control

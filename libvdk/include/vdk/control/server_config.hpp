// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vdk/control/embedded.hpp"
#include "vdk/control/server.hpp"

namespace vdk::control {

/// Everything that an administrator can configure: one YAML file whose keys are those of the original's Helm chart
/// where it has them; each key also as an environment variable (docs/server.md lists both).
struct ServerConfig {
  std::filesystem::path file;  ///< empty = defaults and environment only
  RestOptions rest;
  EmbeddedOptions embedded;  ///< home, database, sources, resources, notifications ...; `python` is not set here
  /// Python versions of the file, empty = those found on PATH.
  std::vector<PythonVersion> supported_python_versions;
  std::string default_python_version;
  std::filesystem::path plugin_dir;  ///< folder of `vdk plugin install` whose plugins clients may take; empty = none
  /// Options of the administrator for all jobs ("default") and for single ones: section -> VDK_... variable -> value.
  std::map<std::string, std::map<std::string, std::string>> vdk_options;
  std::map<std::string, std::string> given;  ///< every key that was set, as text: has passwords, never print it
};

/// One thing that is wrong in the configuration.
struct ConfigProblem {
  std::string key;
  std::string message;
  std::string hint;      ///< what to write instead; may be empty
  std::size_t line = 0;  ///< 0 = not from the file (environment)
  std::size_t column = 0;
  bool warning = false;  ///< unused or unknown-but-harmless key: reported, does not refuse
  bool unused = false;   ///< a key of the Helm chart that this server does not need; always a warning
};

struct ServerConfigResult {
  ServerConfig config;
  std::vector<ConfigProblem> problems;  ///< in file order
  /// Where each key of the file stands: dotted key -> line and column of its value.
  std::map<std::string, std::pair<std::size_t, std::size_t>> positions;
};

/// Read `file` (empty = none) and the environment (environment wins over the file, as everywhere in vdk). Never throws
/// for content: every mistake is in `problems`. Error(not_found) when the file cannot be read.
[[nodiscard]] ServerConfigResult read_server_config(const std::filesystem::path& file,
                                                    const std::map<std::string, std::string>& environment,
                                                    const std::filesystem::path& default_home);
/// The same for a program that wants to start: throws Error(configuration) with all mistakes when there are any.
[[nodiscard]] ServerConfig load_server_config(const std::filesystem::path& file,
                                              const std::map<std::string, std::string>& environment,
                                              const std::filesystem::path& default_home);

/// The dictionary of Python versions as the file has it; an entry without interpreter gets the one of that version that
/// `discover` finds. Error(configuration) when the default version is not among them.
[[nodiscard]] PythonVersions configured_python_versions(const ServerConfig& config,
                                                        const std::function<std::vector<PythonVersion>()>& discover);
/// What is wrong with the files of `tls`, if there are any: the files are read. Not part of `read_server_config`,
/// because commands and executions that need no certificate read the configuration too.
[[nodiscard]] std::vector<ConfigProblem> check_certificate(const ServerConfigResult& result);
/// Names of the keys that differ and that a server cannot change while it runs.
[[nodiscard]] std::vector<std::string> keys_that_need_restart(const ServerConfig& running, const ServerConfig& next);
/// Variables that the administrator's vdkOptions give to an execution of this job.
[[nodiscard]] std::map<std::string, std::string> vdk_options_of(const ServerConfig& config, const std::string& job);
/// `FILE:LINE:COLUMN: error: KEY: ...` with the source line, a caret and the hint for each problem, as compilers do.
[[nodiscard]] std::string format_problems(const std::filesystem::path& file,
                                          const std::vector<ConfigProblem>& problems);

/// One key as documentation and `config-help` show it.
struct ServerKey {
  std::string key;          ///< dotted path in the YAML file
  std::string environment;  ///< variable of the same meaning
  std::string default_value;
  std::string help;
  bool secret = false;
};
[[nodiscard]] const std::vector<ServerKey>& server_keys();

}  // namespace vdk::control

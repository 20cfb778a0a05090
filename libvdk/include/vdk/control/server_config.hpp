// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
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
};

/// One thing that is wrong in the configuration.
struct ConfigProblem {
  std::string key;
  std::string message;
  std::string hint;      ///< what to write instead; may be empty
  std::size_t line = 0;  ///< 0 = not from the file (environment)
  std::size_t column = 0;
  bool warning = false;  ///< unused or unknown-but-harmless key: reported, does not refuse
};

struct ServerConfigResult {
  ServerConfig config;
  std::vector<ConfigProblem> problems;  ///< in file order
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

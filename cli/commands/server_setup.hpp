// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "vdk/control/server_config.hpp"
#include "vdk/target/target.hpp"

/// What `vdk server` and its sub-commands share.
namespace vdk::cli {

/// --config, else VDK_SERVER_CONFIG, absolute; empty when there is neither.
[[nodiscard]] std::filesystem::path server_config_file(const ParsedCommand& command);

/// Every variable of this process.
[[nodiscard]] std::map<std::string, std::string> all_environment();

/// Configuration of the file and the environment. Error(configuration) with every mistake.
[[nodiscard]] control::ServerConfig load_server(const ParsedCommand& command);

/// What is wrong with the interpreters that the file names: each one is run.
[[nodiscard]] std::vector<control::ConfigProblem> check_interpreters(const control::ServerConfigResult& result);

/// The Python versions of the configuration, else those of the settings, else those found on PATH.
[[nodiscard]] control::PythonVersions server_python_versions(const control::ServerConfig& config,
                                                             const Context& context);

/// Options for the embedded service with `config`; looks for Pythons only when they are needed.
[[nodiscard]] control::EmbeddedOptions server_options(const control::ServerConfig& config, const Context& context,
                                                      Interpreters interpreters);

/// Roll-outs of the target are given up when `stop` becomes true.
[[nodiscard]] std::unique_ptr<target::Target> server_target(const std::filesystem::path& home,
                                                            const std::atomic<bool>* stop = nullptr);

/// "sqlite" or "postgresql".
[[nodiscard]] std::string database_kind(const control::DatabaseOptions& database);

/// What the code of an execution finds in its environment: the administrator's vdkOptions, and no password of the
/// server. Reads the configuration first, which may need those passwords.
void prepare_execution_environment(const Context& context, const std::string& job);

/// A running server, as it has written it down in the home folder.
struct RunningServer {
  int pid = 0;
  std::string address;  ///< http://HOST:PORT or https://HOST:PORT
  std::string database;
  std::string version;
  std::string config;
  std::string started;
};

/// The note of this process below HOME/listening; removed at destruction.
class ServerNote {
 public:
  ServerNote(const std::filesystem::path& home, const RunningServer& server);
  ~ServerNote();
  ServerNote(const ServerNote&) = delete;
  ServerNote& operator=(const ServerNote&) = delete;

 private:
  std::filesystem::path m_file;
};

/// Servers of this home that are alive; notes of dead ones are removed.
[[nodiscard]] std::vector<RunningServer> running_servers(const std::filesystem::path& home);

/// Error(configuration) when an interpreter of the file does not run, or is another version.
void require_interpreters(const ParsedCommand& command);
/// Log what --check-config would warn of, in a few lines.
void log_config_warnings(const ParsedCommand& command);
int check_server_config(const ParsedCommand& command, const Context& context);
int show_server_status(const ParsedCommand& command, const Context& context);
int install_server(const ParsedCommand& command, const Context& context);
int uninstall_server(const ParsedCommand& command, const Context& context);

}  // namespace vdk::cli

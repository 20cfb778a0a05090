// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/view/json.hpp"
#include "vdk/plugin/config.hpp"
#include "vdk/plugin/install.hpp"

/// What the commands of `vdk plugin` share.
namespace vdk::cli {

/// The file of -c, VDK_PLUGINS_CONFIG or the default name.
[[nodiscard]] std::filesystem::path plugin_config_file(const ParsedCommand& command);
/// The same; Error(not_found) that explains when nobody named a file and there is none.
[[nodiscard]] std::filesystem::path named_plugin_config(const ParsedCommand& command);
/// Warnings of the file go to standard error. Throws Error(not_found), Error(configuration).
[[nodiscard]] plugin::Config load_plugin_config(const ParsedCommand& command);
/// Nothing when there is no file and nobody asked for one.
[[nodiscard]] std::optional<plugin::Config> find_plugin_config(const ParsedCommand& command);
/// --plugin-dir, the configuration's folder, else `.plugins` here.
[[nodiscard]] std::filesystem::path plugin_folder(const ParsedCommand& command,
                                                  const std::optional<plugin::Config>& config);
/// Whole number between two bounds. Throws Error(usage) that names the option.
[[nodiscard]] int number_option(const ParsedCommand& command, const std::string& name, int fallback, int lowest,
                                int highest);
/// Options that install, upgrade and uninstall share.
[[nodiscard]] plugin::InstallOptions install_options(const ParsedCommand& command);
void log_problem(const plugin::Problem& problem);

[[nodiscard]] Json change_row(const plugin::Change& change);

/// While it lives, SIGINT and SIGTERM set a flag: the work ends in order. A second signal ends the process.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  [[nodiscard]] static const std::atomic<bool>* flag() noexcept;
};

}  // namespace vdk::cli

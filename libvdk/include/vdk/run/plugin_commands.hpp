// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vdk/config/settings.hpp"

namespace vdk::run {

/// The interpreter whose plugins of the original may bring commands (VDK_PYTHON, else python3 on PATH); nothing when
/// no plugin is installed beside it. Starts no Python.
[[nodiscard]] std::optional<std::filesystem::path> interpreter_with_plugins();

/// What a command of a plugin has to know.
struct PluginCommand {
  std::vector<std::string> arguments;  ///< name of the command first
  std::string unknown;                 ///< what to print when no plugin has that command
  bool json = false;                   ///< `unknown` is JSON for standard output
};

/// This process becomes the Python that runs the command. Throws Error when it cannot.
[[noreturn]] void become_plugin_command(const std::filesystem::path& interpreter, const PluginCommand& command,
                                        const config::Settings& settings);

/// Name and summary of every command that plugins bring. Starts Python. Throws Error when that fails.
[[nodiscard]] std::map<std::string, std::string> list_plugin_commands(const std::filesystem::path& interpreter,
                                                                      const config::Settings& settings);

struct PluginSetting {
  std::string name;
  std::string default_value;
  std::string help;
  bool secret = false;
};
/// The settings that plugins define. Starts Python. Throws Error when that fails.
[[nodiscard]] std::vector<PluginSetting> list_plugin_settings(const std::filesystem::path& interpreter,
                                                              const config::Settings& settings);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/view/json.hpp"
#include "vdk/plugin/plugin_job.hpp"

namespace vdk::cli {

/// What `vdk create --plugin` is going to make, all questions answered.
struct PluginCreation {
  plugin::PluginJob job;
  std::string origin;                                        ///< where the plugin was found
  std::vector<std::pair<std::string, std::string>> assets;   ///< name below assets/, text
  std::vector<std::pair<std::string, std::string>> secrets;  ///< typed values: they go to the service only
  std::vector<std::string> wanted_secrets;                   ///< somebody has to set them before the job runs
};

/// Options of `create` that need --plugin are refused without it.
void check_plugin_options(const ParsedCommand& command);
/// Find the plugin and its hooks, get every answer, write --save-answers. Error(usage) lists all that is missing.
[[nodiscard]] PluginCreation plan_from_plugin(const ParsedCommand& command, const std::string& job_name);
/// job.yaml and assets.
void fill_folder(const PluginCreation& creation, const std::filesystem::path& folder);
/// What --dry-run prints.
[[nodiscard]] std::string preview(const PluginCreation& creation, bool json);

}  // namespace vdk::cli

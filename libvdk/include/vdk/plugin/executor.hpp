// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vdk/core/clock.hpp"
#include "vdk/plugin/plugin_job.hpp"

/// The two phases of a plugin's run: a boot step that needs vdk and writes a folder, and the plugin's own program,
/// which needs that folder only.
namespace vdk::plugin {

struct BootRequest {
  std::filesystem::path sources;  ///< the job's folder
  std::filesystem::path output;   ///< `in/` is made below it
  std::string job_name;
  std::string team;
  std::string unit;  ///< name of a hook; empty = the task
  TimePoint scheduled;
  TimePoint now;
  std::string properties_json = "{}";
  std::string secrets_json = "{}";
  std::string arguments_json = "{}";
};

/// What the program gets. The values of `secrets` are shown to nobody.
struct Boot {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> secrets;
  Entrypoint entrypoint;
  std::string image;
  std::vector<std::string> assets;
};

/// Render configuration and assets, and put them as `in` below the output folder, whole or not at all: assets, `.env`
/// and `.secret` for a shell, `.executor.json` for `read_boot`. Folders are 0700 and files 0600. Throws
/// Error(user_code) for a macro without a value and a name that no program may get, Error(configuration) for a bad
/// job.yaml.
Boot boot(const BootRequest& request);

/// What `boot` wrote. Throws Error(not_found) where it has not run, Error(configuration) for a folder that is not ours.
[[nodiscard]] Boot read_boot(const std::filesystem::path& output);

/// Become the program: `SHELL -c SCRIPT` with the environment of `boot` laid over ours. Returns by exception only.
/// With `once` the files that hold secrets are removed before, so that none is left however the program ends.
[[noreturn]] void exec_entrypoint(const std::filesystem::path& output, bool once = false);

/// Lines `KEY='value'` that any POSIX shell reads back unchanged.
[[nodiscard]] std::string shell_lines(const std::map<std::string, std::string>& values);
/// True for a name that could change what a program or its shell does (PATH, IFS, LD_*, ...).
[[nodiscard]] bool is_dangerous_variable(std::string_view name) noexcept;

}  // namespace vdk::plugin

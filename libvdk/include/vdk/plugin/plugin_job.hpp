// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vdk/core/clock.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

/// A data job that a plugin made: `job.yaml` and `assets/` instead of steps.
namespace vdk::plugin {

/// The task of such a job, or one of its hooks: what was taken from the plugin, and the answers.
struct Unit {
  std::string name;
  std::string version;
  std::string sha256;  ///< of the plugin's tree, so that a changed plugin shows
  std::string image;
  Entrypoint entrypoint;
  std::string hook_type;  ///< pre, post, fail; empty for the task
  std::vector<std::string> depends_on;
  std::vector<std::pair<std::string, std::string>> config;
  std::vector<std::string> verbatim_assets;
};

/// The span of data that a run is about, counted from the time for which it was scheduled.
struct Window {
  std::string size = "24h";
  std::string offset = "0";
  std::string truncate_to = "d";  ///< h, d, w (Monday), M, or empty
};
struct Interval {
  TimePoint start;
  TimePoint end;
};
/// DEND is the scheduled time cut down to `truncate_to`, plus `offset`; DSTART lies `size` before. UTC. Throws
/// Error(configuration).
[[nodiscard]] Interval interval(const Window& window, TimePoint scheduled);

struct PluginJob {
  std::string name;
  Unit task;
  std::vector<Unit> hooks;
  Window window;
  std::vector<std::string> allowed_variables;  ///< like PATH: refused otherwise
};

/// True for a folder with a `job.yaml` and without a step of its own: a job with steps stays what it is.
[[nodiscard]] bool is_plugin_job(const std::filesystem::path& directory);
/// Throws Error(configuration) with every mistake in it.
[[nodiscard]] PluginJob load_plugin_job(const std::filesystem::path& directory);
/// Text of a job.yaml: the same job gives the same bytes.
[[nodiscard]] std::string to_yaml(const PluginJob& job);
/// The unit that `version` of a plugin gives. Throws Error(not_found) for a version that its file does not have.
[[nodiscard]] Unit make_unit(const YamlPlugin& plugin, const std::string& version, std::string sha256);

/// Hooks of one type in the order in which they run: each after those it depends on. Throws Error(configuration) for a
/// circle or an unknown name.
[[nodiscard]] std::vector<Unit> ordered_hooks(const PluginJob& job, const std::string& type);

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/job/job.hpp"
#include "vdk/plugin/plugin_job.hpp"
#include "vdk/run/run.hpp"

namespace vdk::cli {

/// A job that a plugin made, as a run sees it: its task and hooks are steps, and each is two processes around a private
/// folder: `vdk executor init`, which fills it, and `vdk executor run`, which becomes the plugin's program.
class PluginRun {
 public:
  struct Inputs {
    std::string team;
    std::string arguments_json;
    TimePoint scheduled;
    std::filesystem::path interpreter;  ///< of the job's environment, whose programs come first on PATH; may be empty
    std::filesystem::path work;         ///< where the private folders are made; empty = the temporary folder
    run::KeyValueStore* properties = nullptr;
    run::KeyValueStore* secrets = nullptr;
  };

  /// Nothing for a job with steps of its own. Gives the job its steps otherwise.
  [[nodiscard]] static std::optional<PluginRun> prepare(job::Job& job);
  void set_inputs(Inputs inputs) { m_inputs = std::move(inputs); }

  /// Let a request run this job; the request must not outlive this object.
  void attach(run::RunRequest& request);

 private:
  explicit PluginRun(plugin::PluginJob job) : m_plugin_job(std::move(job)) {}
  [[nodiscard]] process::Command command(const job::Step& step);
  [[nodiscard]] std::string data_json() const;
  void boot(const job::Step& step);

  plugin::PluginJob m_plugin_job;
  std::string m_job_name;
  std::filesystem::path m_directory;
  std::vector<job::Step> m_after_failure;
  Inputs m_inputs;
  std::optional<files::TemporaryDirectory> m_folder;
};

}  // namespace vdk::cli

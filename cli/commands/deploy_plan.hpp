// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vdk/control/service.hpp"
#include "vdk/job/job.hpp"

namespace vdk::cli {

/// Settings of the job as config.ini gives them, on top of what the service has.
[[nodiscard]] control::DataJob with_config(control::DataJob stored, const job::JobConfig& config);

struct FileChange {
  std::string path;
  std::string change;  ///< added | modified | removed
};

struct SettingChange {
  std::string name;
  std::string from;
  std::string to;
};

struct DeployPlan {
  std::vector<FileChange> files;
  std::vector<SettingChange> settings;
};

/// What a deploy of `local` (a packed job) would change. Nothing is stored.
[[nodiscard]] DeployPlan plan_deploy(control::Service& service, const std::optional<control::DataJob>& stored,
                                     const control::DataJob& wanted, const control::DeploymentRequest& request,
                                     const std::string& zip);

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/clock.hpp"

namespace vdk::target {

/// Everything a target needs to know to run a job; a plain value, no reference to the service's store.
struct DeploymentSpec {
  std::string job_name;
  std::string team;
  std::string job_version;
  std::string python_version;
  std::string interpreter;  ///< local: path of the Python; other targets: unused
  std::string base_image;   ///< container targets
  std::string vdk_image;
  std::string vdk_version;
  std::string schedule_cron;
  bool enabled = true;
  std::optional<double> cpu_limit;  ///< cores
  std::optional<int> memory_limit;  ///< MiB
  std::string version_hash;         ///< changes whenever anything above or the contacts change
};

/// Facts that a target found out while it applied a deployment.
struct AppliedDeployment {
  std::string environment;                         ///< content key of the environment
  std::vector<std::string> resolved_requirements;  ///< frozen "name==version"
  bool built = false;                              ///< false: the environment was there already
};

struct ExecutionSpec {
  std::string id;
  std::string op_id;
  std::string job_name;
  std::string team;
  std::string version_hash;  ///< which applied deployment runs
  std::string arguments_json;
  std::string started_by;
  std::string scheduled_time = {};  ///< ISO 8601, when the schedule asked for it; empty = somebody did
};

enum class Phase {
  unknown,    ///< the target never heard of it
  submitted,  ///< accepted, not running yet
  running,
  finished,  ///< `termination_status` is set
  lost,      ///< it ran and its process is gone without a result
};

struct ExecutionObservation {
  Phase phase = Phase::unknown;
  std::string termination_status;  ///< "Success", "User error", "Platform error", "Skipped", "Cancelled"
  std::string message;             ///< running: where it is, if known; finished: also says which limit ended it
  std::optional<TimePoint> start_time;
  std::optional<TimePoint> end_time;
};

using Progress = std::function<void(std::string_view)>;

/// A place where deployments live and executions run. Implementations never call back into the service.
class Target {
 public:
  virtual ~Target() = default;

  /// Make the deployment exist as described; `write_sources` puts the job's files into an empty folder. Idempotent; the
  /// previous deployment of the job stays runnable until this one is whole, and forever when this throws.
  /// Error(user_code) when the job's requirements cannot be installed, Error(platform) otherwise.
  virtual AppliedDeployment apply(const DeploymentSpec& spec,
                                  const std::function<void(const std::filesystem::path&)>& write_sources,
                                  const Progress& progress) = 0;
  virtual void remove(const std::string& job_name) = 0;  ///< missing is fine
  /// Job name -> version_hash of every deployment that is whole in the runtime; what is damaged is left out.
  [[nodiscard]] virtual std::map<std::string, std::string> list() = 0;

  /// Start an execution; calling it again with the same id never runs the job twice.
  virtual void start(const ExecutionSpec& spec) = 0;
  virtual void cancel(const std::string& execution_id) = 0;  ///< finished or unknown is fine; returns when it is over
  [[nodiscard]] virtual ExecutionObservation observe(const std::string& execution_id) = 0;
  [[nodiscard]] virtual std::string logs(const std::string& execution_id, int tail_lines) = 0;
  virtual void forget(const std::string& execution_id) = 0;  ///< remove log and record of a finished execution
};

}  // namespace vdk::target

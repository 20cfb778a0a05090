// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/control/model.hpp"

namespace vdk::control {

/// Progress of long work for the caller's terminal: one short sentence at a time.
using Progress = std::function<void(std::string_view)>;

/// The control service. The embedded implementation and the REST client are the same to a caller. Errors:
/// Error(not_found) for a job that is not there or belongs to another team, Error(conflict), Error(usage) for refused
/// input, Error(platform). Job names are globally unique; the team must match exactly.
class Service {
 public:
  virtual ~Service() = default;

  /// Who calls from now on, and under which operation id; a server sets it for each request.
  virtual void act_as(const Caller& caller) = 0;
  /// Throws when the service cannot do its work (its database is away ...).
  virtual void check_health() = 0;

  [[nodiscard]] virtual ServiceInfo info(const std::string& team) = 0;
  /// True when `deploy` may register an unknown job by itself (embedded only).
  [[nodiscard]] virtual bool registers_on_deploy() const noexcept = 0;

  /// Throws what `create_job` would, without storing anything; the REST client leaves that to the service.
  virtual void check_new_job(const DataJob& job) = 0;
  virtual void create_job(const DataJob& job) = 0;  ///< Error(conflict) when the name is taken
  [[nodiscard]] virtual DataJob get_job(const std::string& team, const std::string& job) = 0;
  virtual void update_job(const DataJob& job) = 0;  ///< replaces the configuration wholesale
  virtual void delete_job(const std::string& team, const std::string& job) = 0;
  virtual void move_job(const std::string& team, const std::string& job, const std::string& new_team) = 0;
  /// Jobs with their deployments, by name. `team` empty = all. `with_executions` newest executions for each (0 = none).
  [[nodiscard]] virtual std::vector<JobOverview> list_jobs(const std::string& team, int with_executions) = 0;
  /// One page of the jobs query in a constant number of statements; never looks at the runtime. Error(usage) for an
  /// unknown property, a page below 1 and the like.
  [[nodiscard]] virtual JobPage find_jobs(const JobQuery& query) = 0;
  [[nodiscard]] virtual ExecutionPage find_executions(const ExecutionQuery& query) = 0;

  /// Validate, unpack safely and commit a zipped job; returns the version: the last commit that touched this job's
  /// folder.
  virtual std::string upload(const std::string& team, const std::string& job, std::string_view zip,
                             const std::string& reason) = 0;
  [[nodiscard]] virtual std::string download(const std::string& team, const std::string& job) = 0;  ///< zip bytes
  virtual void delete_sources(const std::string& team, const std::string& job, const std::string& reason) = 0;
  /// Address of the job's sources for people; empty when there is none.
  [[nodiscard]] virtual std::string source_url(const std::string& job) = 0;
  /// Error(unsupported) where the service has no Kerberos.
  [[nodiscard]] virtual std::string keytab(const std::string& team, const std::string& job) = 0;

  /// Check a request without storing anything: python_version, cron of the job, resources. Throws what `deploy` would.
  virtual void check_deployment(const DeploymentRequest& request, const std::string& schedule_cron) = 0;
  /// Store the desired state and roll it out. The python version is checked before the job's existence.
  virtual DeployOutcome deploy(const std::string& team, const std::string& job, const DeploymentRequest& request,
                               const Progress& progress) = 0;
  /// Store the desired state and leave the roll-out to the synchronizer. False when nothing differs from what is wanted
  /// already (a failed roll-out is tried again at once and counts as a difference).
  virtual bool submit_deployment(const std::string& team, const std::string& job, const DeploymentRequest& request) = 0;
  /// The wish to have no deployment; the synchronizer removes it. A job without one is fine.
  virtual void submit_removal(const std::string& team, const std::string& job) = 0;
  /// What the database says; the runtime is not asked.
  [[nodiscard]] virtual std::optional<Deployment> get_deployment(const std::string& team, const std::string& job) = 0;
  virtual void remove_deployment(const std::string& team, const std::string& job) = 0;

  /// Returns the execution id. Error(conflict) while an execution of the job is unfinished. `arguments_json` "{}" when
  /// none.
  virtual std::string start_execution(const std::string& team, const std::string& job, const std::string& started_by,
                                      const std::string& arguments_json) = 0;
  virtual void cancel_execution(const std::string& team, const std::string& job, const std::string& id) = 0;
  [[nodiscard]] virtual Execution get_execution(const std::string& team, const std::string& job,
                                                const std::string& id) = 0;
  /// Newest first. Empty `statuses` = all.
  [[nodiscard]] virtual std::vector<Execution> list_executions(const std::string& team, const std::string& job,
                                                               const std::vector<ExecutionStatus>& statuses) = 0;
  /// Log text; `tail_lines` 0 = all.
  [[nodiscard]] virtual std::string execution_logs(const std::string& team, const std::string& job,
                                                   const std::string& id, int tail_lines) = 0;

  [[nodiscard]] virtual std::string get_properties(const std::string& team,
                                                   const std::string& job) = 0;  ///< JSON object
  virtual void set_properties(const std::string& team, const std::string& job, const std::string& json_object) = 0;
  [[nodiscard]] virtual std::string get_secrets(const std::string& team, const std::string& job) = 0;
  virtual void set_secrets(const std::string& team, const std::string& job, const std::string& json_object) = 0;
};

}  // namespace vdk::control

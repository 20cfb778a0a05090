// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/clock.hpp"
#include "vdk/job/job.hpp"

/// The nouns of the control service, as the REST API names them (contract control 4.2).
namespace vdk::control {

/// Limits of a deployment; absent = the service's default. Memory in MiB, CPU in cores.
struct Resources {
  std::optional<double> cpu_request;
  std::optional<double> cpu_limit;
  std::optional<int> memory_request;
  std::optional<int> memory_limit;
};

/// A registered data job with its configuration.
struct DataJob {
  std::string job_name;
  std::string team;
  std::string description;
  std::string schedule_cron;
  std::string db_default_type;
  job::Contacts contacts;
  bool generate_keytab = true;
  bool enable_execution_notifications = true;
  int notification_delay_period_minutes = 240;
};

enum class DeploymentStatus { none, success, platform_error, user_error };
[[nodiscard]] std::string_view to_string(DeploymentStatus s) noexcept;  ///< NONE, SUCCESS, ...

/// What a client asks for; absent fields keep what is there (or the default on a first deployment).
struct DeploymentRequest {
  std::optional<std::string> job_version;
  std::optional<std::string> python_version;
  std::optional<std::string> vdk_version;
  std::optional<bool> enabled;
  std::optional<Resources> resources;
  bool send_notification = true;  ///< mail the contacts of notified_on_job_deploy
};

/// One deployment, desired or actual.
struct Deployment {
  std::string job_name;
  std::string job_version;  ///< commit id of the sources
  std::string python_version;
  std::string vdk_version;  ///< empty = the service's own
  std::string schedule_cron;
  bool enabled = true;
  Resources resources;
  job::Contacts contacts;
  std::string last_deployed_by;
  std::optional<TimePoint> last_deployed_date;
  DeploymentStatus status = DeploymentStatus::none;
  std::string status_message;                      ///< why the last roll-out failed; empty otherwise
  std::string version_hash;                        ///< hash of everything above that a target must know
  std::string interpreter;                         ///< actual only: the Python that runs it
  std::string environment;                         ///< actual only: key of the shared environment
  std::vector<std::string> resolved_requirements;  ///< actual only: frozen "name==version"
};

/// What `deploy` did.
struct DeployOutcome {
  Deployment deployment;  ///< the actual state after the call, or the desired one when roll-out failed or is pending
  bool changed = true;    ///< false: nothing differed, version and date are kept
  bool registered = false;
};

enum class ExecutionStatus { submitted, running, succeeded, cancelled, skipped, user_error, platform_error };
[[nodiscard]] std::string_view to_string(ExecutionStatus s) noexcept;  ///< lower case
[[nodiscard]] std::optional<ExecutionStatus> parse_execution_status(std::string_view s) noexcept;
[[nodiscard]] bool is_final(ExecutionStatus s) noexcept;

enum class ExecutionType { manual, scheduled };
[[nodiscard]] std::string_view to_string(ExecutionType t) noexcept;

struct Execution {
  std::string id;
  std::string job_name;
  ExecutionStatus status = ExecutionStatus::submitted;
  ExecutionType type = ExecutionType::manual;
  std::optional<TimePoint> start_time;
  std::optional<TimePoint> end_time;
  std::string started_by;
  std::string logs_url;
  std::string message;
  std::string op_id;
  Deployment deployment;                    ///< as it was when the execution started
  std::optional<TimePoint> scheduled_time;  ///< scheduled executions: the time that was due
};

/// What became of a job's executions so far.
struct ExecutionStatistics {
  std::optional<ExecutionStatus> last_status;  ///< of the newest finished execution, with its end and duration
  std::optional<TimePoint> last_time;
  std::optional<int> last_duration;  ///< seconds
  int successful = 0;
  int failed = 0;
};

/// A job with its deployment and its newest executions, for `list`.
struct JobOverview {
  DataJob job;
  std::optional<Deployment> deployment;
  std::vector<Execution> executions;  ///< newest first, only when asked for
  ExecutionStatistics statistics;     ///< only when asked for
};

enum class SortDirection { ascending, descending };

/// One condition or order of the jobs query, as the GraphQL API has it (contract control 4.5).
struct JobPredicate {
  std::string property;
  std::optional<std::string> pattern;
  std::optional<SortDirection> sort;
};

struct JobQuery {
  int page = 1;   ///< from 1
  int size = 20;  ///< rows of a page; 0 = all on one page
  std::vector<JobPredicate> filter;
  std::string search;
  std::vector<std::string> search_fields;  ///< selected fields that a search looks into: "jobName", "config.team" ...
  bool deployments = false;                ///< deployments are selected; otherwise every job looks undeployed
  bool statistics = false;
  std::optional<std::vector<std::string>> only_teams;  ///< jobs of other teams do not exist; exact names
};

struct JobPage {
  std::vector<JobOverview> content;
  long long total_items = 0;
};

/// The executions query; empty lists and absent times do not restrict.
struct ExecutionQuery {
  std::optional<TimePoint> start_from;
  std::optional<TimePoint> start_to;
  std::optional<TimePoint> end_from;
  std::optional<TimePoint> end_to;
  std::vector<ExecutionStatus> statuses;
  std::vector<std::string> jobs;
  std::vector<std::string> teams;
  std::string order_by;  ///< name of the API's property; empty = startTime descending
  SortDirection direction = SortDirection::ascending;
  int page = 1;
  int size = 0;          ///< 0 = all
  bool per_job = false;  ///< page within each of `jobs` instead of over all
};

struct ExecutionPage {
  std::vector<Execution> content;
  std::vector<std::string> teams;  ///< team of each execution's job
  long long total_items = 0;
};

struct ServiceInfo {
  std::string api_version;
  std::vector<std::string> supported_python_versions;  ///< in the administrator's order
  std::string default_python_version;
};

/// Who calls; comes from the login (remote) or the operating system (embedded).
struct Caller {
  std::string user;  ///< empty = nobody logged in
  std::string op_id;
};

}  // namespace vdk::control

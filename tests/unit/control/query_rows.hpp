// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "control/embedded/store.hpp"

namespace vdk::control::testing {

constexpr long long k_query_second = 1'700'000'000;  // 2023-11-14T22:13:20Z, a Tuesday

inline TimePoint at_second(long long seconds) { return from_unix_micros((k_query_second + seconds) * 1'000'000); }

/// What is wanted, and what runs when `python` is given.
inline void add_deployment(Store& store, const std::string& job, const std::string& version, bool enabled,
                           const std::string& python = "", const std::string& schedule = "") {
  Desired desired;
  desired.deployment.job_name = job;
  desired.deployment.job_version = version;
  desired.deployment.enabled = enabled;
  desired.deployment.schedule_cron = schedule;
  desired.deployment.last_deployed_by = "alice";
  desired.deployment.last_deployed_date = at_second(0);
  desired.deployment.version_hash = "hash";
  desired.deployment.status = python.empty() ? DeploymentStatus::user_error : DeploymentStatus::success;
  desired.deployment.status_message = python.empty() ? "no such package" : "";
  Store::Write write(store);
  store.put_desired(desired);
  if (!python.empty()) {
    desired.deployment.python_version = python;
    desired.deployment.resources.cpu_limit = 1.5;
    desired.deployment.resources.memory_limit = 512;
    desired.deployment.contacts.notified_on_job_deploy = {"deploy@example.com"};
    store.put_actual(desired.deployment);
  }
  write.commit();
}

/// An execution that was submitted and started `start` seconds after the beginning, and ended `seconds` later.
inline void add_execution(Store& store, const std::string& job, const std::string& id, ExecutionStatus status,
                          long long start, long long seconds) {
  ExecutionRow row;
  row.execution.id = id;
  row.execution.job_name = job;
  row.execution.status = status;
  row.execution.type = start % 2 == 0 ? ExecutionType::scheduled : ExecutionType::manual;
  row.execution.op_id = "op-" + id;
  row.execution.started_by = row.execution.type == ExecutionType::manual ? "manual/alice" : "scheduled/runtime";
  row.execution.message = "message of " + id;
  row.submitted_time = at_second(start);
  if (status != ExecutionStatus::submitted) {
    row.execution.start_time = at_second(start);
  }
  if (is_final(status)) {
    row.execution.end_time = at_second(start + seconds);
  }
  row.execution.deployment.job_version = "v1";
  row.execution.deployment.python_version = "3.11";
  store.insert_execution(row);
}

/// alpha runs and has run, beta is disabled, gamma was never deployed, omega could not be rolled out.
inline void add_query_rows(Store& store) {
  DataJob alpha;
  alpha.job_name = "alpha-job";
  alpha.team = "Red Team";
  alpha.description = "Loads 100% of the Flights";
  alpha.schedule_cron = "0 5 * * *";
  alpha.contacts.notified_on_job_success = {"ok@example.com", "boss@example.com"};
  store.insert_job(alpha);
  DataJob beta;
  beta.job_name = "beta-job";
  beta.team = "red";
  beta.description = "counts flights";
  beta.schedule_cron = "0 0 30 2 *";
  store.insert_job(beta);
  DataJob gamma;
  gamma.job_name = "gamma-job-2";
  gamma.team = "Blue";
  gamma.schedule_cron = "not a schedule";
  store.insert_job(gamma);
  DataJob omega;
  omega.job_name = "omega-job";
  omega.team = "Blue";
  omega.description = "airports";
  omega.schedule_cron = "*/10 * * * *";
  store.insert_job(omega);
  add_deployment(store, "alpha-job", "v1", true, "3.11", "0 5 * * *");
  add_deployment(store, "beta-job", "v2", false, "3.10");
  add_deployment(store, "omega-job", "v3", true);
  add_execution(store, "alpha-job", "alpha-1", ExecutionStatus::succeeded, 0, 30);
  add_execution(store, "alpha-job", "alpha-2", ExecutionStatus::succeeded, 101, 40);
  add_execution(store, "alpha-job", "alpha-3", ExecutionStatus::user_error, 200, 50);
  add_execution(store, "alpha-job", "alpha-4", ExecutionStatus::running, 300, 0);
  add_execution(store, "beta-job", "beta-1", ExecutionStatus::succeeded, 150, 5);
  add_execution(store, "omega-job", "omega-1", ExecutionStatus::submitted, 400, 0);
}

}  // namespace vdk::control::testing

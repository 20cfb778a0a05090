// SPDX-License-Identifier: Apache-2.0
#include "cli/view/records.hpp"

#include "vdk/core/clock.hpp"

namespace vdk::cli {
namespace {

void put(Json& row, const char* key, const std::string& value) {
  if (!value.empty()) {
    row[key] = value;
  }
}

void put(Json& row, const char* key, const std::optional<TimePoint>& value) {
  if (value) {
    row[key] = format_time(*value);
  }
}

Json text_or_null(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

}  // namespace

Json deployment_row(const control::Deployment& deployment) {
  Json row;
  row["job_name"] = deployment.job_name;
  row["job_version"] = deployment.job_version;
  row["last_deployed_by"] = deployment.last_deployed_by;
  row["last_deployed_date"] =
      deployment.last_deployed_date ? Json(format_time(*deployment.last_deployed_date)) : Json("");
  row["python_version"] = deployment.python_version;
  row["enabled"] = deployment.enabled;
  return row;
}

Json detailed_deployment(const control::Deployment& deployment) {
  Json row = deployment_row(deployment);
  row["vdk_version"] = text_or_null(deployment.vdk_version);
  row["schedule_cron"] = deployment.schedule_cron;
  row["status"] = std::string(to_string(deployment.status));
  put(row, "status_message", deployment.status_message);
  row["resolved_requirements"] = deployment.resolved_requirements;
  row["environment"] = text_or_null(deployment.environment);
  row["interpreter"] = text_or_null(deployment.interpreter);
  return row;
}

Json execution_row(const control::Execution& execution) {
  Json row;
  row["id"] = execution.id;
  row["job_name"] = execution.job_name;
  row["status"] = std::string(to_string(execution.status));
  row["type"] = std::string(to_string(execution.type));
  put(row, "start_time", execution.start_time);
  put(row, "end_time", execution.end_time);
  put(row, "started_by", execution.started_by);
  row["logs_url"] = execution.logs_url;
  put(row, "message", execution.message);
  put(row, "op_id", execution.op_id);
  put(row, "job_version", execution.deployment.job_version);
  put(row, "python_version", execution.deployment.python_version);
  return row;
}

Json job_record(const control::DataJob& job) {
  Json contacts;
  contacts["notified_on_job_failure_user_error"] = job.contacts.notified_on_job_failure_user_error;
  contacts["notified_on_job_failure_platform_error"] = job.contacts.notified_on_job_failure_platform_error;
  contacts["notified_on_job_success"] = job.contacts.notified_on_job_success;
  contacts["notified_on_job_deploy"] = job.contacts.notified_on_job_deploy;
  Json config;
  put(config, "db_default_type", job.db_default_type);
  config["contacts"] = std::move(contacts);
  config["schedule"] = {{"schedule_cron", job.schedule_cron}};
  config["generate_keytab"] = job.generate_keytab;
  config["enable_execution_notifications"] = job.enable_execution_notifications;
  config["notification_delay_period_minutes"] = job.notification_delay_period_minutes;
  Json record;
  record["job_name"] = job.job_name;
  record["description"] = job.description;
  record["config"] = std::move(config);
  record["team"] = job.team;
  return record;
}

Json list_row(const control::JobOverview& overview, std::size_t details) {
  Json row;
  row["job_name"] = overview.job.job_name;
  row["job_team"] = overview.job.team;
  if (!overview.deployment) {
    row["status"] = "NOT_DEPLOYED";
  } else {
    const control::Deployment& deployment = *overview.deployment;
    row["status"] = deployment.enabled ? "ENABLED" : "DISABLED";
    row["schedule_cron"] = deployment.schedule_cron.empty() ? overview.job.schedule_cron : deployment.schedule_cron;
    if (deployment.status == control::DeploymentStatus::user_error ||
        deployment.status == control::DeploymentStatus::platform_error) {
      row["last_deployment_status"] = std::string(to_string(deployment.status));
    }
    if (details >= 1) {
      row["job_version"] = deployment.job_version;
      row["deployed_by"] = deployment.last_deployed_by;
      put(row, "deployed_date", deployment.last_deployed_date);
    }
  }
  if (details >= 3 && !overview.executions.empty()) {
    const control::Execution& last = overview.executions.front();
    row["last_execution_status"] = std::string(to_string(last.status));
    put(row, "last_execution_date", last.start_time);
    row["last_execution_type"] = std::string(to_string(last.type));
    put(row, "last_execution_started_by", last.started_by);
  }
  if (details >= 2) {
    const job::Contacts& contacts = overview.job.contacts;
    row["notified_on_success"] = contacts.notified_on_job_success;
    row["notified_on_user_error"] = contacts.notified_on_job_failure_user_error;
    row["notified_on_platform_error"] = contacts.notified_on_job_failure_platform_error;
    row["notified_on_deploy"] = contacts.notified_on_job_deploy;
  }
  return row;
}

Json deployed_row(const control::Deployment& deployment) {
  Json row;
  row["job_name"] = deployment.job_name;
  row["job_version"] = text_or_null(deployment.job_version);
  row["python_version"] = text_or_null(deployment.python_version);
  return row;
}

}  // namespace vdk::cli

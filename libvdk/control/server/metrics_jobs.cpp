// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "control/server/metrics.hpp"
#include "control/server/metrics_text.hpp"
#include "vdk/control/counters.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

/// The numbers of the original's alerting rules.
int alert_value(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::succeeded:
      return 0;
    case ExecutionStatus::platform_error:
      return 1;
    case ExecutionStatus::submitted:
      return 2;
    case ExecutionStatus::user_error:
      return 3;
    case ExecutionStatus::skipped:
      return 4;
    case ExecutionStatus::running:
      return 5;
    case ExecutionStatus::cancelled:
      return 6;
  }
  return 1;
}

int deployment_value(DeploymentStatus status) {
  switch (status) {
    case DeploymentStatus::none:
      return -1;
    case DeploymentStatus::success:
      return 0;
    case DeploymentStatus::platform_error:
      return 1;
    case DeploymentStatus::user_error:
      return 3;
  }
  return -1;
}

std::string addresses(const DataJob& job, const std::vector<std::string>& list) {
  return job.enable_execution_notifications ? prometheus_escape(text::join(list, ";")) : "";
}

void add_info(std::string& out, const DataJob& job) {
  out += fmt::format(
      "taurus_datajob_info{{data_job=\"{}\",team=\"{}\",email_notified_on_success=\"{}\","
      "email_notified_on_user_error=\"{}\",email_notified_on_platform_error=\"{}\"}} 1\n",
      prometheus_escape(job.job_name), prometheus_escape(job.team),
      addresses(job, job.contacts.notified_on_job_success),
      addresses(job, job.contacts.notified_on_job_failure_user_error),
      addresses(job, job.contacts.notified_on_job_failure_platform_error));
}

void add_rollouts(std::string& out, const std::string& job, const RolloutCounts& counts) {
  for (auto item = counts.lower_bound({job, DeploymentStatus{}}); item != counts.end() && item->first.first == job;
       ++item) {
    const DeploymentStatus status = item->first.second;
    const std::string labels =
        fmt::format("{{dataJob=\"{}\",status=\"{}\"}}", prometheus_escape(job), to_string(status));
    out += fmt::format("taurus_deployment_status_summary_count{} {}\n", labels, item->second);
    out += fmt::format("taurus_deployment_status_summary_sum{} {}\n", labels, item->second * deployment_value(status));
  }
}

/// The newest execution that ended and was not skipped: a skipped one says nothing about the job.
const Execution* last_ended(const JobOverview& overview) {
  const auto found = std::find_if(overview.executions.begin(), overview.executions.end(), [](const Execution& item) {
    return is_final(item.status) && item.status != ExecutionStatus::skipped;
  });
  return found == overview.executions.end() ? nullptr : &*found;
}

}  // namespace

std::string job_metrics(Service& service) {
  std::string info;
  std::string delay;
  std::string termination;
  std::string deployment;
  prometheus_head(info, "taurus_datajob_info", "gauge", "Team and contacts of a data job; always 1.");
  prometheus_head(delay, "taurus_datajob_notification_delay", "gauge", "Minutes before somebody is notified.");
  prometheus_head(termination, "taurus_datajob_termination_status", "gauge", "How the last execution ended.");
  prometheus_head(deployment, "taurus_deployment_status_gauge", "gauge", "How the last roll-out ended.");
  std::string rollouts;
  prometheus_head(rollouts, "taurus_deployment_status_summary", "summary", "Roll-outs of this server by outcome.");
  const RolloutCounts counts = rollout_counts();
  for (const JobOverview& overview : service.list_jobs({}, 3)) {
    const std::string name = prometheus_escape(overview.job.job_name);
    add_info(info, overview.job);
    delay += fmt::format("taurus_datajob_notification_delay{{data_job=\"{}\"}} {}\n", name,
                         overview.job.notification_delay_period_minutes);
    if (const Execution* last = last_ended(overview)) {
      termination += fmt::format("taurus_datajob_termination_status{{data_job=\"{}\",execution_id=\"{}\"}} {}\n", name,
                                 prometheus_escape(last->id), alert_value(last->status));
    }
    if (overview.deployment) {
      deployment += fmt::format("taurus_deployment_status_gauge{{dataJob=\"{}\"}} {}\n", name,
                                deployment_value(overview.deployment->status));
    }
    add_rollouts(rollouts, overview.job.job_name, counts);
  }
  return info + delay + termination + deployment + rollouts;
}

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_render.hpp"

#include <nlohmann/json.hpp>

#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::graphql {
namespace {

using Json = nlohmann::ordered_json;

template <typename MemberOf>
Json object(const PlannedField& field, const MemberOf& member_of) {
  Json result = Json::object();
  for (const PlannedField& child : field.children) {
    result[child.key] = child.definition == nullptr ? Json(child.parent->name) : member_of(child);
  }
  return result;
}

template <typename Value>
Json optional(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json time(const std::optional<TimePoint>& value) { return value ? Json(format_time(*value)) : Json(); }
Json unless_empty(const std::string& text) { return text.empty() ? Json() : Json(text); }
Json upper(std::string_view word) { return text::upper(word); }

long long next_run(const std::string& schedule, TimePoint now) {
  try {
    const auto next = schedule.empty() ? std::nullopt : Cron::parse(schedule).next(now);
    return next ? to_unix_micros(*next) / 1'000'000 : -1;
  } catch (const Error&) {
    return -1;  // an invalid schedule never runs
  }
}

Json render_schedule(const PlannedField& field, const std::string& schedule, bool enabled, TimePoint now) {
  return object(field, [&](const PlannedField& member) {
    return member.name() == "scheduleCron" ? Json(schedule) : Json(enabled ? next_run(schedule, now) : -1);
  });
}

Json render_contacts(const PlannedField& field, const job::Contacts& contacts) {
  return object(field, [&](const PlannedField& member) -> Json {
    if (member.name() == "notifiedOnJobFailureUserError") {
      return contacts.notified_on_job_failure_user_error;
    }
    if (member.name() == "notifiedOnJobFailurePlatformError") {
      return contacts.notified_on_job_failure_platform_error;
    }
    return member.name() == "notifiedOnJobSuccess" ? contacts.notified_on_job_success : contacts.notified_on_job_deploy;
  });
}

Json render_resources(const PlannedField& field, const Resources& resources) {
  return object(field, [&](const PlannedField& member) -> Json {
    if (member.name() == "cpuLimit") {
      return optional(resources.cpu_limit);
    }
    if (member.name() == "cpuRequest") {
      return optional(resources.cpu_request);
    }
    if (member.name() == "memoryLimit") {
      return optional(resources.memory_limit);
    }
    return member.name() == "memoryRequest" ? optional(resources.memory_request) : Json();
  });
}

Json render_config(const PlannedField& field, const DataJob& job, const RenderContext& context) {
  return object(field, [&](const PlannedField& member) -> Json {
    const std::string_view name = member.name();
    if (name == "team") {
      return job.team;
    }
    if (name == "description") {
      return job.description;
    }
    if (name == "schedule") {
      return render_schedule(member, job.schedule_cron, true, context.now);
    }
    if (name == "contacts") {
      return render_contacts(member, job.contacts);
    }
    if (name == "generateKeytab") {
      return job.generate_keytab;
    }
    if (name == "sourceUrl") {
      return unless_empty(context.service.source_url(job.job_name));
    }
    if (name == "dbDefaultType") {
      return job.db_default_type;
    }
    if (name == "enableExecutionNotifications") {
      return job.enable_execution_notifications;
    }
    return name == "notificationDelayPeriodMinutes" ? Json(job.notification_delay_period_minutes) : Json();
  });
}

/// What a deployment and the deployment of an execution have in common; null for everything else.
Json deployment_member(const PlannedField& member, const Deployment& deployment, const RenderContext& context) {
  const std::string_view name = member.name();
  if (name == "enabled") {
    return deployment.enabled;
  }
  if (name == "contacts") {
    return render_contacts(member, deployment.contacts);
  }
  if (name == "jobVersion") {
    return deployment.job_version;
  }
  if (name == "jobPythonVersion") {
    return deployment.python_version;
  }
  if (name == "lastDeployedDate" || name == "deployedDate") {
    return time(deployment.last_deployed_date);
  }
  if (name == "lastDeployedBy" || name == "deployedBy") {
    return deployment.last_deployed_by;
  }
  if (name == "mode") {
    return "release";
  }
  if (name == "resources") {
    return render_resources(member, deployment.resources);
  }
  if (name == "schedule") {
    return render_schedule(member, deployment.schedule_cron, deployment.enabled, context.now);
  }
  return name == "vdkVersion" || name == "vkdVersion" ? unless_empty(deployment.vdk_version) : Json();
}

Json render_executions(const PlannedField& field, const std::string& job, const RenderContext& context) {
  Json result = Json::array();
  const auto selected = context.executions.find(&field);
  if (selected == context.executions.end()) {
    return result;
  }
  if (const auto found = selected->second.find(job); found != selected->second.end()) {
    for (const ListedExecution& execution : found->second) {
      result.push_back(render_execution(field, execution, context));
    }
  }
  return result;
}

Json render_deployment(const PlannedField& field, const JobOverview& job, const RenderContext& context) {
  const ExecutionStatistics& statistics = job.statistics;
  return object(field, [&](const PlannedField& member) -> Json {
    const std::string_view name = member.name();
    if (name == "id") {
      return job.job.job_name;
    }
    if (name == "executions") {
      return render_executions(member, job.job.job_name, context);
    }
    if (name == "status") {
      // The original never fills it, and its client shows a column as soon as there is a value: failures only.
      const DeploymentStatus status = job.deployment->status;
      const bool failed = status == DeploymentStatus::user_error || status == DeploymentStatus::platform_error;
      return failed ? Json(to_string(status)) : Json();
    }
    if (name == "rolloutStatus") {
      return to_string(job.deployment->status);
    }
    if (name == "statusMessage") {
      return job.deployment->status_message;
    }
    if (name == "lastExecutionStatus") {
      return statistics.last_status ? upper(to_string(*statistics.last_status)) : Json();
    }
    if (name == "lastExecutionTime") {
      return time(statistics.last_time);
    }
    if (name == "lastExecutionDuration") {
      return optional(statistics.last_duration);
    }
    if (name == "successfulExecutions") {
      return statistics.successful;
    }
    if (name == "failedExecutions") {
      return statistics.failed;
    }
    return deployment_member(member, *job.deployment, context);
  });
}

Json execution_member(const PlannedField& member, const ListedExecution& listed, const RenderContext& context) {
  const Execution& execution = *listed.execution;
  const std::string_view name = member.name();
  if (name == "id") {
    return execution.id;
  }
  if (name == "type") {
    return upper(to_string(execution.type));
  }
  if (name == "jobName") {
    return execution.job_name;
  }
  if (name == "teamName") {
    return *listed.team;
  }
  if (name == "status") {
    return upper(to_string(execution.status));
  }
  if (name == "startTime") {
    return time(execution.start_time);
  }
  if (name == "endTime") {
    return time(execution.end_time);
  }
  if (name == "startedBy") {
    return execution.started_by;
  }
  if (name == "message") {
    return execution.message;
  }
  if (name == "opId") {
    return execution.op_id;
  }
  if (name == "logsUrl") {
    return execution.logs_url;
  }
  if (name == "jobSchedule") {
    return execution.deployment.schedule_cron;
  }
  if (name == "resourcesCpuRequest") {
    return optional(execution.deployment.resources.cpu_request);
  }
  if (name == "resourcesCpuLimit") {
    return optional(execution.deployment.resources.cpu_limit);
  }
  if (name == "resourcesMemoryRequest") {
    return optional(execution.deployment.resources.memory_request);
  }
  if (name == "resourcesMemoryLimit") {
    return optional(execution.deployment.resources.memory_limit);
  }
  if (name == "deployment") {
    // The original names it by its mode, and knows of no executions of an execution.
    return object(member, [&](const PlannedField& inner) {
      return inner.name() == "id" ? Json("release") : deployment_member(inner, execution.deployment, context);
    });
  }
  return deployment_member(member, execution.deployment, context);
}

}  // namespace

Json render_execution(const PlannedField& field, const ListedExecution& execution, const RenderContext& context) {
  return object(field, [&](const PlannedField& member) { return execution_member(member, execution, context); });
}

Json render_job(const PlannedField& field, const JobOverview& job, const RenderContext& context) {
  return object(field, [&](const PlannedField& member) -> Json {
    if (member.name() == "jobName") {
      return job.job.job_name;
    }
    if (member.name() == "config") {
      return render_config(member, job.job, context);
    }
    return job.deployment ? Json::array({render_deployment(member, job, context)}) : Json();
  });
}

}  // namespace vdk::control::graphql

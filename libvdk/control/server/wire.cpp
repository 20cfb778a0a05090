// SPDX-License-Identifier: Apache-2.0
#include "control/server/wire.hpp"

#include <nlohmann/json.hpp>

namespace vdk::control::rest {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json time_or_null(const std::optional<TimePoint>& time) { return time ? Json(format_time(*time)) : Json(); }

Json contacts(const job::Contacts& contacts) {
  return {{"notified_on_job_failure_user_error", contacts.notified_on_job_failure_user_error},
          {"notified_on_job_failure_platform_error", contacts.notified_on_job_failure_platform_error},
          {"notified_on_job_success", contacts.notified_on_job_success},
          {"notified_on_job_deploy", contacts.notified_on_job_deploy}};
}

Json schedule(const std::string& cron) { return {{"schedule_cron", cron}}; }

Json resources(const Resources& resources) {
  return {{"cpu_request", value_or_null(resources.cpu_request)},
          {"cpu_limit", value_or_null(resources.cpu_limit)},
          {"memory_request", value_or_null(resources.memory_request)},
          {"memory_limit", value_or_null(resources.memory_limit)}};
}

Json status(const Deployment& deployment) {
  return {{"vdk_version", text_or_null(deployment.vdk_version)},
          {"job_version", deployment.job_version},
          {"python_version", text_or_null(deployment.python_version)},
          {"mode", "release"},
          {"id", deployment.job_name},
          {"enabled", deployment.enabled},
          {"contacts", contacts(deployment.contacts)},
          {"schedule", schedule(deployment.schedule_cron)},
          {"resources", resources(deployment.resources)},
          {"last_deployed_date", time_or_null(deployment.last_deployed_date)},
          {"last_deployed_by", text_or_null(deployment.last_deployed_by)},
          {"status", to_string(deployment.status)},
          {"status_message", text_or_null(deployment.status_message)},
          {"interpreter", text_or_null(deployment.interpreter)},
          {"environment", text_or_null(deployment.environment)},
          {"resolved_requirements", deployment.resolved_requirements}};
}

/// A deployment as it was when an execution started.
Json past_deployment(const Deployment& deployment) {
  return {{"vdk_version", text_or_null(deployment.vdk_version)},
          {"job_version", text_or_null(deployment.job_version)},
          {"python_version", text_or_null(deployment.python_version)},
          {"mode", "release"},
          {"id", deployment.job_name},
          {"enabled", true},
          {"deployed_by", text_or_null(deployment.last_deployed_by)},
          {"deployed_date", time_or_null(deployment.last_deployed_date)},
          {"schedule", schedule(deployment.schedule_cron)},
          {"resources", resources(deployment.resources)}};
}

Json json_of(const Execution& execution) {
  return {{"id", execution.id},
          {"job_name", execution.job_name},
          {"status", to_string(execution.status)},
          {"type", to_string(execution.type)},
          {"start_time", time_or_null(execution.start_time)},
          {"end_time", time_or_null(execution.end_time)},
          {"started_by", execution.started_by},
          {"logs_url", execution.logs_url},
          {"message", text_or_null(execution.message)},
          {"op_id", execution.op_id},
          {"deployment", past_deployment(execution.deployment)}};
}

}  // namespace

std::string to_json(const DataJob& job) {
  return dump({{"job_name", job.job_name},
               {"description", job.description},
               {"config",
                {{"db_default_type", text_or_null(job.db_default_type)},
                 {"contacts", contacts(job.contacts)},
                 {"schedule", schedule(job.schedule_cron)},
                 {"generate_keytab", job.generate_keytab},
                 {"enable_execution_notifications", job.enable_execution_notifications},
                 {"notification_delay_period_minutes", job.notification_delay_period_minutes}}},
               {"team", job.team}});
}

std::string deployment_json(const Deployment& deployment) { return dump(status(deployment)); }

std::string to_json(const std::optional<Deployment>& deployment) {
  return deployment ? "[" + deployment_json(*deployment) + "]" : "[]";
}

std::string to_json(const Execution& execution) { return dump(json_of(execution)); }

std::string to_json(const std::vector<Execution>& executions) {
  std::string result = "[";
  for (const Execution& execution : executions) {
    result += (result.size() > 1 ? "," : "") + to_json(execution);
  }
  return result + "]";
}

std::string to_json(const ServiceInfo& info) {
  return dump({{"api_version", info.api_version},
               {"supported_python_versions", info.supported_python_versions},
               {"default_python_version", text_or_null(info.default_python_version)}});
}

std::string object_json(std::string_view name, std::string_view value) {
  Json json = Json::object();
  json[std::string(name)] = std::string(value);
  return dump(json);
}

}  // namespace vdk::control::rest

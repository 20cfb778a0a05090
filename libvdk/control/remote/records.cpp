// SPDX-License-Identifier: Apache-2.0
#include "control/remote/records.hpp"

#include <algorithm>

#include "vdk/core/text.hpp"

namespace vdk::control::remote {
namespace {

std::vector<std::string> list_of(const Json& object, const char* key) {
  std::vector<std::string> items;
  if (const Json& array = member(object, key); array.is_array()) {
    for (const Json& item : array) {
      if (item.is_string()) {
        items.push_back(item.get<std::string>());
      }
    }
  }
  return items;
}

job::Contacts read_contacts(const Json& json) {
  return {list_of(json, "notified_on_job_failure_user_error"), list_of(json, "notified_on_job_failure_platform_error"),
          list_of(json, "notified_on_job_success"), list_of(json, "notified_on_job_deploy")};
}

Json contacts_to_json(const job::Contacts& contacts) {
  Json json;
  json["notified_on_job_failure_user_error"] = contacts.notified_on_job_failure_user_error;
  json["notified_on_job_failure_platform_error"] = contacts.notified_on_job_failure_platform_error;
  json["notified_on_job_success"] = contacts.notified_on_job_success;
  json["notified_on_job_deploy"] = contacts.notified_on_job_deploy;
  return json;
}

template <typename Number>
std::optional<Number> number_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_number() ? std::optional(value.get<Number>()) : std::nullopt;
}

Resources read_resources(const Json& json) {
  return {number_of<double>(json, "cpu_request"), number_of<double>(json, "cpu_limit"),
          number_of<int>(json, "memory_request"), number_of<int>(json, "memory_limit")};
}

Json resources_to_json(const Resources& resources) {
  Json json = Json::object();
  const auto put = [&](const char* key, const auto& value) {
    if (value) {
      json[key] = *value;
    }
  };
  put("cpu_request", resources.cpu_request);
  put("cpu_limit", resources.cpu_limit);
  put("memory_request", resources.memory_request);
  put("memory_limit", resources.memory_limit);
  return json;
}

DeploymentStatus read_status(const std::string& text) {
  for (const auto status :
       {DeploymentStatus::success, DeploymentStatus::platform_error, DeploymentStatus::user_error}) {
    if (text::upper(text) == to_string(status)) {
      return status;
    }
  }
  return DeploymentStatus::none;
}

/// Minutes of "+02:00", "+0200" or "-03"; nothing when it is no offset.
std::optional<int> offset_minutes(std::string_view zone) {
  const std::string digits = text::replace_all(std::string(zone.substr(1)), ":", "");
  const auto value = text::parse_int(digits);
  if (!value || (digits.size() != 2 && digits.size() != 4)) {
    return std::nullopt;
  }
  const int minutes = static_cast<int>(digits.size() == 2 ? *value * 60 : (*value / 100) * 60 + *value % 100);
  return zone.front() == '-' ? -minutes : minutes;
}

}  // namespace

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() ? *found : nothing;
}

std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag_of(const Json& object, const char* key, bool fallback) {
  const Json& value = member(object, key);
  return value.is_boolean() ? value.get<bool>() : fallback;
}

std::optional<TimePoint> read_time(std::string_view text) {
  text = text::trim(text);
  constexpr std::size_t date_end = 10;
  const std::size_t zone = text.size() > date_end ? text.find_first_of("+-Zz", date_end) : std::string_view::npos;
  const std::string local(text.substr(0, zone));
  const auto colons = std::count(local.begin(), local.end(), ':');
  const auto time = parse_time((colons == 1 ? local + ":00" : local) + "Z");
  if (!time || zone == std::string_view::npos || text[zone] == 'Z' || text[zone] == 'z') {
    return time;
  }
  const auto offset = offset_minutes(text.substr(zone));
  return offset ? std::optional(*time - std::chrono::minutes(*offset)) : std::nullopt;
}

Json job_to_json(const DataJob& job) {
  Json config;
  if (!job.db_default_type.empty()) {
    config["db_default_type"] = job.db_default_type;
  }
  config["contacts"] = contacts_to_json(job.contacts);
  config["schedule"] = Json::object();
  if (!job.schedule_cron.empty()) {
    config["schedule"]["schedule_cron"] = job.schedule_cron;
  }
  config["generate_keytab"] = job.generate_keytab;
  config["enable_execution_notifications"] = job.enable_execution_notifications;
  config["notification_delay_period_minutes"] = job.notification_delay_period_minutes;
  Json json;
  json["job_name"] = job.job_name;
  json["description"] = job.description;
  json["config"] = std::move(config);
  json["team"] = job.team;
  return json;
}

DataJob read_job(const Json& json) {
  const Json& config = member(json, "config");
  DataJob job;
  job.job_name = text_of(json, "job_name");
  job.team = text_of(json, "team");
  job.description = text_of(json, "description");
  job.db_default_type = text_of(config, "db_default_type");
  job.schedule_cron = text_of(member(config, "schedule"), "schedule_cron");
  job.contacts = read_contacts(member(config, "contacts"));
  job.generate_keytab = flag_of(config, "generate_keytab", true);
  job.enable_execution_notifications = flag_of(config, "enable_execution_notifications", true);
  job.notification_delay_period_minutes =
      number_of<int>(config, "notification_delay_period_minutes").value_or(job.notification_delay_period_minutes);
  return job;
}

Json request_to_json(const DeploymentRequest& request) {
  Json json = Json::object();
  const auto put = [&](const char* key, const auto& value) {
    if (value) {
      json[key] = *value;
    }
  };
  put("job_version", request.job_version);
  put("vdk_version", request.vdk_version);
  put("python_version", request.python_version);
  put("enabled", request.enabled);
  if (request.resources) {
    json["resources"] = resources_to_json(*request.resources);
  }
  return json;
}

Deployment read_deployment(const Json& json, const std::string& job) {
  Deployment deployment;
  deployment.job_name = job;
  deployment.job_version = text_of(json, "job_version");
  deployment.python_version = text_of(json, "python_version");
  deployment.vdk_version = text_of(json, "vdk_version");
  deployment.schedule_cron = text_of(member(json, "schedule"), "schedule_cron");
  deployment.enabled = flag_of(json, "enabled", true);
  deployment.resources = read_resources(member(json, "resources"));
  deployment.contacts = read_contacts(member(json, "contacts"));
  deployment.last_deployed_by = text_of(json, "last_deployed_by");
  deployment.last_deployed_date = read_time(text_of(json, "last_deployed_date"));
  deployment.status = read_status(text_of(json, "status"));
  deployment.status_message = text_of(json, "status_message");
  deployment.interpreter = text_of(json, "interpreter");
  deployment.environment = text_of(json, "environment");
  deployment.resolved_requirements = list_of(json, "resolved_requirements");
  return deployment;
}

Execution read_execution(const Json& json, const std::string& job) {
  Execution execution;
  execution.id = text_of(json, "id");
  execution.job_name = text_of(json, "job_name").empty() ? job : text_of(json, "job_name");
  execution.status =
      parse_execution_status(text::lower(text_of(json, "status"))).value_or(ExecutionStatus::platform_error);
  execution.type = text::lower(text_of(json, "type")) == "scheduled" ? ExecutionType::scheduled : ExecutionType::manual;
  execution.start_time = read_time(text_of(json, "start_time"));
  execution.end_time = read_time(text_of(json, "end_time"));
  execution.started_by = text_of(json, "started_by");
  execution.logs_url = text_of(json, "logs_url");
  execution.message = text_of(json, "message");
  execution.op_id = text_of(json, "op_id");
  execution.deployment = read_deployment(member(json, "deployment"), execution.job_name);
  return execution;
}

void newest_first(std::vector<Execution>& executions) {
  std::stable_sort(executions.begin(), executions.end(), [](const Execution& a, const Execution& b) {
    return a.start_time.value_or(TimePoint::max()) > b.start_time.value_or(TimePoint::max());
  });
}

}  // namespace vdk::control::remote

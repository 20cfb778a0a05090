// SPDX-License-Identifier: Apache-2.0
#include "target/local/documents.hpp"

#include <nlohmann/json.hpp>

namespace vdk::target::local {

namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json optional_value(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <typename T>
std::optional<T> read_optional(const Json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end() || found->is_null()) {
    return std::nullopt;
  }
  return found->get<T>();
}

std::string dump(const Json& document) {
  // Messages may carry output of programs in any encoding; a bad byte must not cost the whole record.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Runs `read` on the parsed text; a file that is not what we wrote gives nothing.
template <typename Read>
auto parse_document(std::string_view text, Read read) -> std::optional<decltype(read(Json()))> {
  try {
    return read(Json::parse(text));
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Json time_value(const std::optional<TimePoint>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }

std::optional<TimePoint> read_time(const Json& document, const char* key) {
  const auto value = read_optional<std::string>(document, key);
  return value ? parse_time(*value) : std::nullopt;
}

DeploymentSpec read_spec(const Json& json) {
  DeploymentSpec spec;
  spec.job_name = json.at("job_name");
  spec.team = json.at("team");
  spec.job_version = json.at("job_version");
  spec.python_version = json.at("python_version");
  spec.interpreter = json.at("interpreter");
  spec.base_image = json.at("base_image");
  spec.vdk_image = json.at("vdk_image");
  spec.vdk_version = json.at("vdk_version");
  spec.schedule_cron = json.at("schedule_cron");
  spec.enabled = json.at("enabled");
  spec.cpu_limit = read_optional<double>(json, "cpu_limit");
  spec.memory_limit = read_optional<int>(json, "memory_limit");
  spec.version_hash = json.at("version_hash");
  return spec;
}

}  // namespace

std::string serialize(const DeploymentDocument& document) {
  const DeploymentSpec& spec = document.spec;
  return dump({{"job_name", spec.job_name},
               {"team", spec.team},
               {"job_version", spec.job_version},
               {"python_version", spec.python_version},
               {"interpreter", spec.interpreter},
               {"base_image", spec.base_image},
               {"vdk_image", spec.vdk_image},
               {"vdk_version", spec.vdk_version},
               {"schedule_cron", spec.schedule_cron},
               {"enabled", spec.enabled},
               {"cpu_limit", optional_value(spec.cpu_limit)},
               {"memory_limit", optional_value(spec.memory_limit)},
               {"version_hash", spec.version_hash},
               {"environment", document.applied.environment},
               {"resolved_requirements", document.applied.resolved_requirements}});
}

std::string serialize(const ExecutionSpec& document) {
  return dump({{"id", document.id},
               {"op_id", document.op_id},
               {"job_name", document.job_name},
               {"team", document.team},
               {"version_hash", document.version_hash},
               {"arguments_json", document.arguments_json},
               {"started_by", document.started_by},
               {"scheduled_time", document.scheduled_time}});
}

std::string serialize(const ResultDocument& document) {
  return dump({{"termination_status", document.termination_status},
               {"message", document.message},
               {"start_time", time_value(document.start_time)},
               {"end_time", time_value(document.end_time)}});
}

std::string serialize(const std::vector<std::string>& requirements) {
  Json document = Json::object();
  document["resolved_requirements"] = requirements;
  return dump(document);
}

std::optional<DeploymentDocument> parse_deployment(std::string_view text) {
  return parse_document(text, [](const Json& json) {
    DeploymentDocument document;
    document.spec = read_spec(json);
    document.applied.environment = json.at("environment");
    document.applied.resolved_requirements = json.at("resolved_requirements").get<std::vector<std::string>>();
    return document;
  });
}

std::optional<ExecutionSpec> parse_execution(std::string_view text) {
  return parse_document(text, [](const Json& json) {
    ExecutionSpec spec;
    spec.id = json.at("id");
    spec.op_id = json.at("op_id");
    spec.job_name = json.at("job_name");
    spec.team = json.at("team");
    spec.version_hash = json.at("version_hash");
    spec.arguments_json = json.at("arguments_json");
    spec.started_by = json.at("started_by");
    spec.scheduled_time = json.value("scheduled_time", "");  // not in folders of older versions
    return spec;
  });
}

std::optional<ResultDocument> parse_result(std::string_view text) {
  return parse_document(text, [](const Json& json) {
    ResultDocument document;
    document.termination_status = json.at("termination_status");
    document.message = json.at("message");
    document.start_time = read_time(json, "start_time");
    document.end_time = read_time(json, "end_time");
    return document;
  });
}

std::optional<std::vector<std::string>> parse_requirements(std::string_view text) {
  return parse_document(
      text, [](const Json& json) { return json.at("resolved_requirements").get<std::vector<std::string>>(); });
}

}  // namespace vdk::target::local

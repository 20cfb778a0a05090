// SPDX-License-Identifier: Apache-2.0
#include "control/server/openapi_schemas.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::ordered_json;

Json text() { return {{"type", "string"}}; }
Json boolean() { return {{"type", "boolean"}}; }
Json time() { return {{"type", "string"}, {"format", "date-time"}}; }
Json schema_ref(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }
Json whole(int minimum) {
  return {{"type", "integer"}, {"format", "int32"}, {"minimum", minimum}, {"maximum", 2147483647}};
}
Json list(const Json& items) { return {{"type", "array"}, {"items", items}}; }
Json nullable(Json schema) {
  schema["nullable"] = true;
  return schema;
}
/// What a request may hold: one line of text.
Json line() { return {{"type", "string"}, {"maxLength", 2500}, {"pattern", "^[^\\u0000-\\u001f]*$"}}; }

Json object(const Json& properties, const std::vector<std::string>& required = {}) {
  Json result{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) {
    result["required"] = required;
  }
  return result;
}

/// All properties are there in every answer.
Json complete(const Json& properties) {
  std::vector<std::string> names;
  for (const auto& [name, schema] : properties.items()) {
    names.push_back(name);
  }
  return object(properties, names);
}

Json contacts(const Json& item, bool optional) {
  const Json list_of_texts{{"type", "array"}, {"items", item}, {"maxItems", 1000}};
  const Json addresses = optional ? nullable(list_of_texts) : list_of_texts;
  return {{"notified_on_job_failure_user_error", addresses},
          {"notified_on_job_failure_platform_error", addresses},
          {"notified_on_job_success", addresses},
          {"notified_on_job_deploy", addresses}};
}

void add_answers(Json& schemas) {
  schemas["Error"] =
      complete({{"what", text()}, {"why", text()}, {"consequences", text()}, {"countermeasures", text()}});
  schemas["PluginIndex"] = complete(
      {{"format", whole(1)},
       {"generation", whole(1)},
       {"archive", complete({{"sha256", text()}, {"size", whole(0)}})},
       {"entries",
        {{"type", "array"},
         {"items",
          complete(
              {{"name", text()}, {"version", text()}, {"file", text()}, {"size", whole(0)}, {"sha256", text()}})}}}});
  schemas["DataJobContacts"] = complete(contacts(text(), false));
  schemas["DataJobSchedule"] = complete({{"schedule_cron", text()}});
  schemas["DataJobResources"] = complete({{"cpu_request", nullable({{"type", "number"}})},
                                          {"cpu_limit", nullable({{"type", "number"}})},
                                          {"memory_request", nullable(whole(0))},
                                          {"memory_limit", nullable(whole(0))}});
  schemas["DataJobConfig"] = complete({{"db_default_type", nullable(text())},
                                       {"contacts", schema_ref("DataJobContacts")},
                                       {"schedule", schema_ref("DataJobSchedule")},
                                       {"generate_keytab", boolean()},
                                       {"enable_execution_notifications", boolean()},
                                       {"notification_delay_period_minutes", whole(0)}});
  schemas["DataJob"] = complete(
      {{"job_name", text()}, {"description", text()}, {"config", schema_ref("DataJobConfig")}, {"team", text()}});
  schemas["DataJobDeploymentStatus"] =
      complete({{"vdk_version", nullable(text())},
                {"job_version", text()},
                {"python_version", nullable(text())},
                {"mode", {{"type", "string"}, {"enum", {"release", "testing"}}}},
                {"id", text()},
                {"enabled", boolean()},
                {"contacts", schema_ref("DataJobContacts")},
                {"schedule", schema_ref("DataJobSchedule")},
                {"resources", schema_ref("DataJobResources")},
                {"last_deployed_date", nullable(time())},
                {"last_deployed_by", nullable(text())},
                {"status", {{"type", "string"}, {"enum", {"NONE", "SUCCESS", "PLATFORM_ERROR", "USER_ERROR"}}}},
                {"status_message", nullable(text())},
                {"interpreter", nullable(text())},
                {"environment", nullable(text())},
                {"resolved_requirements", list(text())}});
  schemas["ExecutionDeployment"] = complete({{"vdk_version", nullable(text())},
                                             {"job_version", nullable(text())},
                                             {"python_version", nullable(text())},
                                             {"mode", {{"type", "string"}, {"enum", {"release"}}}},
                                             {"id", text()},
                                             {"enabled", boolean()},
                                             {"deployed_by", nullable(text())},
                                             {"deployed_date", nullable(time())},
                                             {"schedule", schema_ref("DataJobSchedule")},
                                             {"resources", schema_ref("DataJobResources")}});
  schemas["DataJobExecution"] = complete(
      {{"id", text()},
       {"job_name", text()},
       {"status",
        {{"type", "string"},
         {"enum", {"submitted", "running", "succeeded", "cancelled", "skipped", "user_error", "platform_error"}}}},
       {"type", {{"type", "string"}, {"enum", {"manual", "scheduled"}}}},
       {"start_time", nullable(time())},
       {"end_time", nullable(time())},
       {"started_by", text()},
       {"logs_url", text()},
       {"message", nullable(text())},
       {"op_id", text()},
       {"deployment", schema_ref("ExecutionDeployment")}});
  schemas["DataJobExecutionLogs"] = complete({{"logs", text()}});
  schemas["DataJobVersion"] = complete({{"version_sha", text()}});
  schemas["DataJobApiInfo"] = complete({{"api_version", text()},
                                        {"supported_python_versions", list(text())},
                                        {"default_python_version", nullable(text())}});
  schemas["Health"] = complete({{"status", {{"type", "string"}, {"enum", {"UP", "DOWN"}}}}});
  schemas["AnyObject"] = {{"type", "object"}, {"additionalProperties", true}};
  schemas["DataJobQueryResponse"] =
      object({{"errors", list({{"type", "object"}})}, {"data", nullable({{"type", "object"}})}});
}

void add_requests(Json& schemas) {
  const Json schedule = nullable(object({{"schedule_cron", nullable(line())}}));
  const Json config = object({{"db_default_type", nullable(line())},
                              {"contacts", nullable(object(contacts(line(), true)))},
                              {"schedule", schedule},
                              {"generate_keytab", nullable(boolean())},
                              {"enable_execution_notifications", nullable(boolean())},
                              {"notification_delay_period_minutes", nullable(whole(0))}});
  schemas["DataJobRequest"] =
      object({{"job_name", {{"type", "string"}, {"pattern", "^[a-z][a-z0-9-]{5,49}$"}}},
              {"description", nullable({{"type", "string"},
                                        {"maxLength", 10000},
                                        {"pattern", "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$"}})},
              {"config", nullable(config)},
              {"team", nullable(line())}},
             {"job_name"});
  schemas["GraphqlRequest"] =
      object({{"query", text()}, {"operationName", nullable(text())}, {"variables", nullable({{"type", "object"}})}},
             {"query"});
  const Json resources = nullable(object({{"cpu_request", nullable({{"type", "number"}})},
                                          {"cpu_limit", nullable({{"type", "number"}})},
                                          {"memory_request", nullable(whole(1))},
                                          {"memory_limit", nullable(whole(1))}}));
  schemas["DataJobDeployment"] =
      object({{"vdk_version", nullable(line())},
              {"job_version", nullable(line())},
              {"python_version", nullable(line())},
              {"mode", nullable({{"type", "string"}, {"enum", {"release", "testing", nullptr}}})},
              {"id", nullable(line())},
              {"enabled", nullable(boolean())},
              {"deployed_by", nullable(line())},
              {"deployed_date", nullable(line())},
              {"schedule", schedule},
              {"resources", resources}});
  schemas["DataJobExecutionRequest"] =
      object({{"started_by", nullable(line())}, {"args", nullable({{"type", "object"}})}});
}

}  // namespace

Json openapi_schemas() {
  Json schemas;
  add_answers(schemas);
  add_requests(schemas);
  return schemas;
}

}  // namespace vdk::control::rest

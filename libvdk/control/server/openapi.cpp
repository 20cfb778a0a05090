// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string>
#include <vector>

#include "control/server/openapi_schemas.hpp"
#include "vdk/control/server.hpp"

namespace vdk::control {
namespace {

using Json = nlohmann::ordered_json;

/// What one operation is beyond what all share.
struct Operation {
  const char* method;
  const char* path;
  const char* id;
  const char* summary;
  /// Status -> schema name; "" = no body, "*" = an Error or no body, "text", "bytes", "zip", "html" = a body that is
  /// not JSON.
  std::map<int, std::string> answers;
  const char* request = "";  ///< schema name, or "bytes"
  std::vector<const char*> query;
  bool login = true;
};

#define VDK_TEAM "/data-jobs/for-team/{team_name}"
#define VDK_JOB VDK_TEAM "/jobs/{job_name}"
#define VDK_DEPLOYMENT VDK_JOB "/deployments/{deployment_id}"

// What a service may refuse with 501 (keytabs, OAuth credentials of teams) is left out: this one never offers it.
// clang-format off
const std::vector<Operation>& operations() {
  static const std::vector<Operation> table{
    {"get", VDK_TEAM "/info", "info", "Version of the API and supported Python versions", {{200, "DataJobApiInfo"}}},
    {"get", VDK_TEAM "/jobs", "jobsQuery", "GraphQL query over jobs or executions; the team does not restrict it", {{200, "DataJobQueryResponse"}, {400, "QueryError"}}, "", {"query", "operation_name", "variables"}},
    {"post", VDK_TEAM "/jobs", "dataJobCreate", "Register a data job; a body with `query` is a GraphQL query", {{200, "DataJobQueryResponse"}, {201, ""}, {400, "QueryError"}, {409, ""}}, "JobOrQuery", {"name"}},
    {"get", VDK_JOB, "dataJobRead", "A data job", {{200, "DataJob"}, {404, ""}}},
    {"put", VDK_JOB, "dataJobUpdate", "Replace the configuration of a data job", {{200, ""}, {404, ""}}, "DataJobRequest"},
    {"delete", VDK_JOB, "dataJobDelete", "Delete a data job with its deployment and sources", {{200, ""}, {404, "*"}}},
    {"put", VDK_JOB "/team/{new_team}", "dataJobTeamUpdate", "Give a data job to another team", {{200, ""}, {404, "*"}}},
    {"get", VDK_JOB "/deployments", "deploymentList", "Deployments of a job: none or one", {{200, "[DataJobDeploymentStatus]"}, {404, "*"}}, "", {"deployment_id", "mode"}},
    {"post", VDK_JOB "/deployments", "deploymentUpdate", "Deploy a version of a job; the roll-out follows in the background", {{202, ""}, {404, "*"}, {409, "Error"}}, "DataJobDeployment", {"send_notification"}},
    {"get", VDK_DEPLOYMENT, "deploymentRead", "The deployment of a job", {{200, "DataJobDeploymentStatus"}, {404, "*"}}},
    {"patch", VDK_DEPLOYMENT, "deploymentPatch", "Change the deployment of a job", {{202, ""}, {404, "*"}, {409, "Error"}}, "DataJobDeployment", {"send_notification"}},
    {"delete", VDK_DEPLOYMENT, "deploymentDelete", "Take a deployment back", {{202, ""}, {404, "*"}}},
    {"get", VDK_JOB "/executions", "dataJobExecutionList", "Executions of a job, newest first", {{200, "[DataJobExecution]"}, {404, "Error"}}, "", {"execution_status"}},
    {"get", VDK_DEPLOYMENT "/executions", "dataJobDeploymentExecutionList", "Executions of a deployment, newest first", {{200, "[DataJobExecution]"}, {404, "Error"}}, "", {"execution_status"}},
    {"post", VDK_DEPLOYMENT "/executions", "dataJobExecutionStart", "Start an execution", {{202, "location"}, {404, "Error"}, {409, "Error"}}, "DataJobExecutionRequest"},
    {"get", VDK_JOB "/executions/{execution_id}", "dataJobExecutionRead", "An execution", {{200, "DataJobExecution"}, {404, "Error"}}},
    {"delete", VDK_JOB "/executions/{execution_id}", "dataJobExecutionCancel", "Cancel an execution", {{200, ""}, {404, "Error"}}},
    {"get", VDK_JOB "/executions/{execution_id}/logs", "dataJobLogsDownload", "Log of an execution", {{200, "DataJobExecutionLogs"}, {404, "Error"}}, "", {"tail_lines"}},
    {"get", VDK_JOB "/sources", "dataJobSourcesDownload", "Sources of a job as a zip archive", {{200, "bytes"}, {404, "*"}}},
    {"post", VDK_JOB "/sources", "dataJobSourcesUpload", "New sources of a job as a zip archive", {{200, "DataJobVersion"}, {404, "*"}}, "bytes", {"reason"}},
    {"delete", VDK_JOB "/sources", "dataJobSourcesDelete", "Delete the sources of a job", {{200, ""}, {404, "*"}}, "", {"reason"}},
    {"get", VDK_DEPLOYMENT "/properties", "dataJobPropertiesRead", "Properties of a job", {{200, "AnyObject"}, {404, "Error"}}},
    {"put", VDK_DEPLOYMENT "/properties", "dataJobPropertiesUpdate", "Replace the properties of a job", {{204, ""}, {404, "Error"}}, "AnyObject"},
    {"get", VDK_DEPLOYMENT "/secrets", "dataJobSecretsRead", "Secrets of a job", {{200, "AnyObject"}, {404, "Error"}}},
    {"put", VDK_DEPLOYMENT "/secrets", "dataJobSecretsUpdate", "Replace the secrets of a job", {{202, ""}, {404, "Error"}}, "AnyObject"},
    {"get", "/plugins/v1/index", "pluginIndex", "Which plugins the service publishes, with hashes; If-None-Match gives 304", {{200, "PluginIndex"}, {304, ""}, {404, "Error"}}},
    {"get", "/plugins/v1/blob/sha256/{sha256}", "pluginBlob", "A file that the index names", {{200, "bytes"}, {304, ""}, {404, "Error"}}},
    {"get", "/plugins", "plugins", "All published plugins as a zip archive, for clients that know no index", {{200, "zip"}, {304, ""}, {404, "Error"}}},
    {"get", "/data-jobs/debug/health", "health", "Whether the service can work", {{200, "Health"}, {503, "HealthDown"}}, "", {}, false},
    {"get", "/data-jobs/debug/health/readiness", "readiness", "Whether the service can work", {{200, "Health"}, {503, "HealthDown"}}, "", {}, false},
    {"get", "/data-jobs/debug/health/liveness", "liveness", "Whether the process answers", {{200, "Health"}}, "", {}, false},
    {"get", "/data-jobs/debug/prometheus", "prometheus", "Metrics", {{200, "text"}}, "", {}, false},
    {"get", "/data-jobs/debug/servertime", "servertime", "Seconds since 1970", {{200, "text"}}, "", {}, false},
    {"get", "/data-jobs/debug/servertime-millis", "servertimeMillis", "Milliseconds since 1970", {{200, "text"}}, "", {}, false},
    {"get", "/data-jobs/debug/echo/{message}", "echo", "The message", {{200, "text"}}, "", {}, false},
    {"get", "/data-jobs/swagger-ui.html", "swaggerUi", "Where the API document is", {{200, "html"}}, "", {}, false},
    {"get", "/data-jobs/api-docs", "apiDocs", "This document", {{200, "AnyObject"}}, "", {}, false},
  };
  return table;
}
// clang-format on

Json schema_ref(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

const char* reason(int status) {
  static const std::map<int, const char*> reasons{{200, "Done"},
                                                  {201, "Created"},
                                                  {202, "Accepted"},
                                                  {204, "Stored"},
                                                  {304, "Not changed"},
                                                  {400, "The request is not valid"},
                                                  {401, "A login is needed"},
                                                  {404, "There is no such thing"},
                                                  {408, "The request did not arrive in time"},
                                                  {409, "The request conflicts with what there is"},
                                                  {413, "The body is too large"},
                                                  {414, "The address is too long"},
                                                  {415, "The body has another media type"},
                                                  {417, "Unknown expectation"},
                                                  {431, "The headers are too large"},
                                                  {500, "A bug of the service"},
                                                  {501, "The service does not offer this"},
                                                  {503, "The service is busy or a part of it is away"}};
  return reasons.at(status);
}

Json content(const std::string& type, const Json& schema) { return {{type, {{"schema", schema}}}}; }

Json answer_content(const std::string& kind) {
  const Json text{{"type", "string"}};
  if (kind == "text") {
    return content("text/plain", text);
  }
  if (kind == "html") {
    return content("text/html", text);
  }
  if (kind == "bytes") {
    return content("application/octet-stream", {{"type", "string"}, {"format", "binary"}});
  }
  if (kind == "zip") {
    return content("application/zip", {{"type", "string"}, {"format", "binary"}});
  }
  if (kind == "QueryError") {
    return content("application/json", {{"anyOf", {schema_ref("DataJobQueryResponse"), schema_ref("Error")}}});
  }
  if (kind == "HealthDown") {
    return content("application/json", {{"anyOf", {schema_ref("Health"), schema_ref("Error")}}});
  }
  if (kind.front() == '[') {
    return content("application/json", {{"type", "array"}, {"items", schema_ref(kind.substr(1, kind.size() - 2))}});
  }
  return content("application/json", schema_ref(kind));
}

Json answer(int status, const std::string& kind) {
  Json result{{"description", reason(status)}};
  if (kind == "*") {
    result["description"] = std::string(reason(status)) + " (without a body for an unknown job, else an Error)";
  } else if (!kind.empty() && kind != "location") {
    result["content"] = answer_content(kind);
  }
  Json headers{{"X-OPID", {{"description", "Operation id of the request"}, {"schema", {{"type", "string"}}}}}};
  if (status == 201 || (status == 202 && kind == "location")) {
    headers["Location"] = {{"schema", {{"type", "string"}}}};
  }
  if (status == 503) {
    headers["Retry-After"] = {{"schema", {{"type", "integer"}}}};
  }
  result["headers"] = headers;
  return result;
}

Json path_parameter(const std::string& name) {
  Json schema{{"type", "string"}, {"minLength", 1}};
  if (name == "job_name") {
    schema = {{"type", "string"}, {"pattern", "^[a-z][a-z0-9-]{5,49}$"}};
  } else if (name == "sha256") {
    schema = {{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}};
  } else {
    schema["pattern"] = "^[^\\u0000-\\u001f\\u007f]+$";
  }
  static const std::map<std::string, std::string> examples{
      {"team_name", "example-team"},   {"job_name", "example-job"},
      {"deployment_id", "production"}, {"execution_id", "example-job-1700000000"},
      {"new_team", "example-team"},    {"message", "hello"},
      {"sha256", std::string(64, '0')}};
  return {{"name", name}, {"in", "path"}, {"required", true}, {"schema", schema}, {"example", examples.at(name)}};
}

Json query_parameter(const std::string& name) {
  Json schema{{"type", "string"}, {"pattern", "^[^\\u0000-\\u001f\\u007f]*$"}};
  if (name == "send_notification") {
    schema = {{"type", "boolean"}, {"default", true}};
  } else if (name == "tail_lines") {
    schema = {{"type", "integer"}, {"minimum", 0}, {"maximum", 2147483647}, {"default", 0}};
  } else if (name == "execution_status") {
    schema = {
        {"type", "array"},
        {"items",
         {{"type", "string"},
          {"enum", {"submitted", "running", "succeeded", "cancelled", "skipped", "user_error", "platform_error"}}}}};
  }
  return {{"name", name}, {"in", "query"}, {"required", false}, {"schema", schema}};
}

Json parameters(const Operation& operation) {
  Json result = Json::array();
  const std::string path = operation.path;
  for (auto begin = path.find('{'); begin != std::string::npos; begin = path.find('{', begin + 1)) {
    result.push_back(path_parameter(path.substr(begin + 1, path.find('}', begin) - begin - 1)));
  }
  for (const char* name : operation.query) {
    result.push_back(query_parameter(name));
  }
  return result;
}

Json request_body(const std::string& schema) {
  Json body{{"required", true}};
  if (schema == "bytes") {
    body["content"] = content("application/octet-stream", {{"type", "string"}, {"format", "binary"}});
  } else if (schema == "JobOrQuery") {
    body["content"] =
        content("application/json", {{"anyOf", {schema_ref("DataJobRequest"), schema_ref("GraphqlRequest")}}});
    body["content"]["application/graphql"] = {{"schema", {{"type", "string"}}}};
  } else {
    body["content"] = content("application/json", schema_ref(schema));
  }
  return body;
}

Json describe(const Operation& operation) {
  Json result{{"operationId", operation.id}, {"summary", operation.summary}, {"parameters", parameters(operation)}};
  if (operation.request[0] != '\0') {
    result["requestBody"] = request_body(operation.request);
  }
  std::map<int, std::string> answers = operation.answers;
  for (const int status : {400, 408, 413, 414, 417, 431, 500, 501, 503}) {
    answers.try_emplace(status, "Error");
  }
  if (operation.request[0] != '\0' && !operation.answers.empty()) {
    answers.try_emplace(415, "Error");
  }
  if (operation.login) {
    answers.try_emplace(401, "");
  }
  for (const auto& [status, kind] : answers) {
    result["responses"][std::to_string(status)] = answer(status, kind);
  }
  result["security"] = operation.login ? Json{{{"bearer", Json::array()}}, Json::object()} : Json::array();
  return result;
}

}  // namespace

std::string openapi_document(const std::string& api_version) {
  Json document{{"openapi", "3.0.3"},
                {"info",
                 {{"title", "Versatile Data Kit Control Service API"},
                  {"description", "The life cycle of data jobs: sources, deployments, executions, properties."},
                  {"version", api_version},
                  {"license", {{"name", "Apache 2.0"}}}}}};
  for (const Operation& operation : operations()) {
    document["paths"][operation.path][operation.method] = describe(operation);
  }
  document["components"] = {{"schemas", rest::openapi_schemas()},
                            {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}};
  return document.dump();
}

}  // namespace vdk::control

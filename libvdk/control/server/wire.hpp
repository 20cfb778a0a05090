// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vdk/control/model.hpp"

/// The nouns of the service as JSON text and back (contract control 4.2).
namespace vdk::control::rest {

[[nodiscard]] std::string to_json(const DataJob& job);
/// An array: empty or one element.
[[nodiscard]] std::string to_json(const std::optional<Deployment>& deployment);
[[nodiscard]] std::string deployment_json(const Deployment& deployment);
[[nodiscard]] std::string to_json(const Execution& execution);
[[nodiscard]] std::string to_json(const std::vector<Execution>& executions);
[[nodiscard]] std::string to_json(const ServiceInfo& info);
/// {"name": "value"} for any text, invalid UTF-8 replaced.
[[nodiscard]] std::string object_json(std::string_view name, std::string_view value);

/// A DataJob body. Absent fields have their defaults: the update is a full one. All readers throw Error(usage) that
/// names the field.
struct JobBody {
  DataJob job;
  bool has_team = false;
};
[[nodiscard]] JobBody read_job(const std::string& body);

struct DeploymentBody {
  DeploymentRequest request;
  std::optional<std::string> schedule_cron;
};
[[nodiscard]] DeploymentBody read_deployment(const std::string& body);

struct ExecutionBody {
  std::string started_by;
  std::string arguments_json = "{}";
};
[[nodiscard]] ExecutionBody read_execution(const std::string& body);

/// A query sent as JSON: {"query": ..., "operationName": ..., "variables": {...}}.
struct QueryBody {
  std::string query;
  std::string operation_name;
  std::string variables_json;
};
/// Nothing when the body is a data job.
[[nodiscard]] std::optional<QueryBody> read_query(const std::string& body);

/// Error(usage) unless the body is a JSON object of reasonable depth.
void check_json_object(const std::string& body);

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/target/target.hpp"

/// The JSON files of the local target. Each parse function gives nothing for a damaged file: who asks decides what that
/// means.
namespace vdk::target::local {

/// deployments/JOB/HASH/deployment.json
struct DeploymentDocument {
  DeploymentSpec spec;
  AppliedDeployment applied;
};

/// executions/ID/result.json
struct ResultDocument {
  std::string termination_status;
  std::string message;
  std::optional<TimePoint> start_time;
  std::optional<TimePoint> end_time;
};

[[nodiscard]] std::string serialize(const DeploymentDocument& document);
[[nodiscard]] std::string serialize(const ExecutionSpec& document);
[[nodiscard]] std::string serialize(const ResultDocument& document);
/// environments/KEY/complete: the frozen requirements of a finished environment.
[[nodiscard]] std::string serialize(const std::vector<std::string>& requirements);

[[nodiscard]] std::optional<DeploymentDocument> parse_deployment(std::string_view text);
[[nodiscard]] std::optional<ExecutionSpec> parse_execution(std::string_view text);
[[nodiscard]] std::optional<ResultDocument> parse_result(std::string_view text);
[[nodiscard]] std::optional<std::vector<std::string>> parse_requirements(std::string_view text);

}  // namespace vdk::target::local

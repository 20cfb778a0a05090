// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>
#include <vector>

#include "control/server/graphql_plan.hpp"
#include "vdk/control/service.hpp"
#include "vdk/core/clock.hpp"

/// Jobs and executions as the members of an answer, in the order in which they were selected.
namespace vdk::control::graphql {

struct ListedExecution {
  const Execution* execution;
  const std::string* team;
};

/// The executions below deployments: for each `executions` that was selected, those of each job.
using NestedExecutions = std::map<const PlannedField*, std::map<std::string, std::vector<ListedExecution>>>;

struct RenderContext {
  Service& service;
  TimePoint now;
  const NestedExecutions& executions;
};

[[nodiscard]] nlohmann::ordered_json render_job(const PlannedField& field, const JobOverview& job,
                                                const RenderContext& context);
[[nodiscard]] nlohmann::ordered_json render_execution(const PlannedField& field, const ListedExecution& execution,
                                                      const RenderContext& context);

}  // namespace vdk::control::graphql

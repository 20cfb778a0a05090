// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/plan.hpp"

#include <algorithm>

namespace vdk::run {

std::string_view to_string(RerunMode mode) noexcept {
  switch (mode) {
    case RerunMode::full:
      return "full";
    case RerunMode::changed:
      return "changed";
    case RerunMode::from_failed:
      return "from-failed";
    case RerunMode::from:
      return "from";
    case RerunMode::only:
      return "only";
  }
  return "full";
}

bool Plan::is_empty() const noexcept {
  return std::none_of(steps.begin(), steps.end(), [](const PlannedStep& step) { return step.runs; });
}

Plan full_plan(const job::Job& job) {
  Plan plan;
  for (const job::Step& step : job.steps) {
    plan.steps.push_back({step, true, "every step runs"});
  }
  return plan;
}

}  // namespace vdk::run

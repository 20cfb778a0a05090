// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/plan.hpp"

namespace vdk::run {

Plan full_plan(const job::Job& job) {
  Plan plan;
  for (const job::Step& step : job.steps) {
    plan.steps.push_back({step, true, "every step runs"});
  }
  return plan;
}

}  // namespace vdk::run

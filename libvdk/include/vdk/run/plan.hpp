// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vdk/job/job.hpp"

namespace vdk::run {

/// One step of the job and what this run does with it.
struct PlannedStep {
  job::Step step;
  bool runs = true;
  std::string reason;  ///< why it runs or is left out, as a clause: "its source changed at line 3"
};

/// What a run is going to do, decided before anything is executed. `make` in run/plan.hpp decides, run/runner.hpp
/// executes; nothing else chooses steps.
struct Plan {
  std::string mode = "full";  ///< full, changed, from-failed, from, only
  std::vector<PlannedStep> steps;
};

/// Every step, as the original runs a job.
[[nodiscard]] Plan full_plan(const job::Job& job);

}  // namespace vdk::run

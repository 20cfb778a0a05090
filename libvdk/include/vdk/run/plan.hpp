// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/job/job.hpp"

namespace vdk::run {

enum class RerunMode {
  full,         ///< every step, as the original
  changed,      ///< from the first step that changed or did not succeed
  from_failed,  ///< from the step at which the last run ended
  from,         ///< from a step that is named
  only,         ///< one step that is named
};
[[nodiscard]] std::string_view to_string(RerunMode mode) noexcept;  ///< full, changed, from-failed, from, only

/// What a person asked for.
struct Rerun {
  RerunMode mode = RerunMode::full;
  std::string step;           ///< of from and only: name of a step, NOTEBOOK:NUMBER or NOTEBOOK:CELL_ID
  bool atomic_steps = false;  ///< a step that fails leaves the SQLite databases as they were before it
};

/// One step of the job and what this run does with it.
struct PlannedStep {
  job::Step step;
  bool runs = true;
  std::string reason;  ///< why it runs or is left out, as a clause: "its source changed at line 3"
};

/// What a run is going to do, decided before anything is executed. plan.cpp and rerun/plan.cpp decide, run/runner.hpp
/// executes; nothing else chooses steps.
struct Plan {
  RerunMode mode = RerunMode::full;
  std::vector<PlannedStep> steps;
  std::vector<std::string> warnings;  ///< what a person should know before the steps run
  std::filesystem::path snapshot;     ///< the state that the first step needs; empty = a fresh process does
  bool resumes = false;               ///< goes on with the execution that failed: same execution id

  [[nodiscard]] bool is_empty() const noexcept;  ///< no step runs
};

/// Every step, as the original runs a job.
[[nodiscard]] Plan full_plan(const job::Job& job);

}  // namespace vdk::run

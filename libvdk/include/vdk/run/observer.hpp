// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vdk/core/clock.hpp"
#include "vdk/run/plan.hpp"

namespace vdk::run {

struct Ids;
struct StepResult;
struct RunResult;

/// A run whose plan is made and whose steps follow.
struct RunStart {
  const job::Job& job;
  const Ids& ids;  ///< of the execution that goes on, when it is resumed
};

/// A step that starts now. `depth` is 0 for the job's own steps and more for the steps of a template that one of them
/// runs.
struct StepStart {
  const job::Step& step;
  int depth = 0;
  std::size_t number = 0;  ///< position among the steps that run at this depth, from 1
  std::size_t count = 0;   ///< how many run at this depth
  TimePoint time;
};

/// Sees everything that happens in a run, in order, from the thread that runs the job. Order of calls: started
/// and planned once, then for each step started, (ingested, progress, log_line)*, ended (nested for templates), at last
/// `ended`, which alone comes for a run that fails before its plan is made. secret and log_line come at any time. An
/// observer must not throw and must not block for long: the job waits for it.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(const RunStart& /*start*/) {}
  virtual void planned(const Plan& /*plan*/) {}
  /// A value of the job's secrets that texts may contain from here on; it must not be shown.
  virtual void secret(std::string_view /*value*/) {}
  virtual void step_started(const StepStart& /*start*/) {}
  virtual void step_ended(const StepResult& /*result*/, int /*depth*/) {}
  /// Rows that have been stored, after each batch.
  virtual void ingested(std::string_view /*method*/, std::string_view /*table*/, long long /*rows*/) {}
  /// Something inside a step that takes time, in the words of a person ("statement 3 of 7").
  virtual void progress(std::string_view /*text*/) {}
  /// A log line of vdk itself; level is INFO, WARNING or ERROR.
  virtual void log_line(std::string_view /*level*/, std::string_view /*text*/) {}
  virtual void ended(const RunResult& /*result*/) {}
};

}  // namespace vdk::run

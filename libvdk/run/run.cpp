// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/run.hpp"

#include <algorithm>
#include <csignal>

#include "run/report.hpp"
#include "run/runner.hpp"
#include "run/signals.hpp"
#include "run/step_failure.hpp"
#include "vdk/run/plan.hpp"

namespace vdk::run {

namespace {

void conclude(RunResult& result) {
  // The first one: what runs after a failure may fail too.
  const auto failed = std::find_if(result.steps.begin(), result.steps.end(),
                                   [](const StepResult& step) { return step.status == StepStatus::error; });
  if (failed != result.steps.end()) {
    result.success = false;
    result.blamee = failed->blamee;
    result.details = failed->exception_name + ": " + failed->exception;
  }
  if (const int number = SignalGuard::received(); number != 0) {
    result.success = false;
    result.exit_code = 128 + number;
    result.blamee = Blamee::user;
    result.details = number == SIGINT ? "the run was interrupted" : "the run was asked to end (SIGTERM)";
  }
  if (result.success) {
    result.termination_status = "Success";
  } else {
    result.termination_status = result.blamee == Blamee::user ? "User error" : "Platform error";
    result.exit_code = result.exit_code == 0 ? 1 : result.exit_code;
  }
  result.exit_code = result.handled ? 0 : result.exit_code;
}

}  // namespace

RunResult run_job(const RunRequest& request, const Clock& clock) {
  const SignalGuard signals;
  const LogLines lines(request.job.name, request.ids.attempt_id, request.collected_logs, clock);
  RunResult result;
  result.execution_id = request.ids.execution_id;
  result.start_time = clock.now();
  bool full = false;
  try {
    full = request.settings.get_bool("log_execution_result");
    if (request.job.steps.empty()) {
      throw Error(ErrorKind::user_code, {"cannot run " + request.job.name, "Data Job has no steps", "nothing was run",
                                         "Add a file that ends with .sql or .py to " + request.job.directory.string()});
    }
    Runner runner(request, clock, lines);
    const Plan plan = full_plan(request.job);
    if (request.observer != nullptr) {
      request.observer->planned(plan);
    }
    result.steps = runner.run(plan);
    result.exit_code = runner.exit_code();
    runner.finish_plugins(result);
    runner.finish();
  } catch (const Error& error) {
    fail_run(result, error);
  } catch (const std::exception& error) {
    fail_run(result, Error(ErrorKind::platform, {"cannot run " + request.job.name, error.what(), "", ""}));
  }
  conclude(result);
  result.end_time = clock.now();
  report(result, request, lines, full);
  if (request.observer != nullptr) {
    request.observer->ended(result);
  }
  return result;
}

}  // namespace vdk::run

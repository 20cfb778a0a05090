// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/run.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include "run/process/descendants.hpp"
#include "run/process/signals.hpp"
#include "run/report/output_relay.hpp"
#include "run/report/report.hpp"
#include "run/rerun/plan.hpp"
#include "run/rerun/recorder.hpp"
#include "run/runner.hpp"
#include "run/step_failure.hpp"
#include "vdk/core/log.hpp"
#include "vdk/run/observer.hpp"

namespace vdk::run {

namespace {

Error no_steps(const job::Job& job) {
  const std::string way_out = job.notebooks.empty()
                                  ? "Add a file that ends with .sql or .py to " + job.directory.string()
                                  : "Tag the cells of " + job.notebooks.front().file.filename().string() +
                                        " that are steps with `vdk`, or begin them with `# vdk: step`";
  return Error(ErrorKind::user_code, {"cannot run " + job.name, "Data Job has no steps", "nothing was run", way_out});
}

void conclude(RunResult& result) {
  // The first one: what runs after a failure may fail too.
  const auto failed = std::find_if(result.steps.begin(), result.steps.end(),
                                   [](const StepResult& step) { return is_failure(step.status); });
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

/// What is remembered of earlier runs, as far as it may be used and written.
struct Memory {
  std::unique_ptr<RerunStore> store;
  std::unique_ptr<RerunInputs> now;
};

/// A full run goes on without a memory; the others cannot.
Memory open_memory(const Session& session, bool planning) {
  Memory memory;
  const RunRequest& request = session.request;
  const bool needed = request.rerun.mode != RerunMode::full || request.rerun.atomic_steps || planning;
  std::string why = "run_state_enabled is false";
  if (!request.collected_logs && session.flag("run_state_enabled", true)) {
    memory.store = RerunStore::open(session, why);
  }
  if (memory.store) {
    memory.now = std::make_unique<RerunInputs>(session, *memory.store);
  } else if (needed) {
    throw Error(ErrorKind::conflict, {"cannot tell which steps of " + request.job.name + " have to run", why,
                                      "nothing was run", "Wait for the other run, or run all steps with --full"});
  } else if (!request.collected_logs) {
    log::debug("what this run does is not remembered: " + why);
  }
  return memory;
}

Plan choose_steps(const RunRequest& request, const Memory& memory) {
  return request.rerun.mode == RerunMode::full
             ? full_plan(request.job)
             : make_plan(request.rerun, request.job, *memory.store, *memory.now, request.interpreter);
}

/// The same execution goes on in a new attempt, as the original's retries do; ids that were given stay.
void resume(RunRequest& request, Session& session, const RunState& state) {
  const config::Settings& settings = request.settings;
  if (!settings.get("execution_id").empty() || !settings.get("attempt_id").empty() || state.execution_id.empty()) {
    return;
  }
  request.ids.attempt_id = state.execution_id + request.ids.attempt_id.substr(request.ids.attempt_id.rfind('-'));
  request.ids.execution_id = state.execution_id;
  request.ids.op_id = settings.get("op_id").empty() ? state.op_id : request.ids.op_id;
  session.take_ids();
}

bool needs_python(const Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const PlannedStep& step) { return step.runs && step.step.kind != job::StepKind::sql; });
}

void say(const Plan& plan, const LogLines& lines) {
  for (const std::string& warning : plan.warnings) {
    lines.warning(warning);
  }
  if (plan.mode == RerunMode::full) {
    return;
  }
  const auto runs = static_cast<std::size_t>(
      std::count_if(plan.steps.begin(), plan.steps.end(), [](const PlannedStep& step) { return step.runs; }));
  if (runs == 0) {
    lines.info("Nothing to run: " + plan.steps.front().reason +
               (plan.mode == RerunMode::changed ? " since the last run" : ""));
    return;
  }
  lines.info(std::to_string(runs) + " of " + std::to_string(plan.steps.size()) + " steps run:");
  for (const PlannedStep& step : plan.steps) {
    if (step.runs && step.reason != "it follows a step that runs") {
      lines.info("  " + step.step.name + ": " + step.reason);
    }
  }
}

/// Plan and, where steps are left out, make the process as they left it. A state that cannot be had again is forgotten,
/// so that the next plan starts further in front.
Plan prepare(RunRequest& request, Session& session, Memory& memory, Runner& runner) {
  if (memory.store && request.rerun.mode != RerunMode::full) {
    (void)AtomicSteps::recover(*memory.store, session.lines);
  }
  while (true) {
    const Plan plan = choose_steps(request, memory);
    if (plan.resumes) {
      resume(request, session, memory.store->state);
    }
    std::string why;
    if (plan.snapshot.empty() || !needs_python(plan) || runner.restore(plan.snapshot, why)) {
      say(plan, session.lines);
      return plan;
    }
    session.lines.warning("the state behind the steps that could be left out cannot be restored: " + why);
    std::error_code ignored;
    std::filesystem::remove(plan.snapshot, ignored);
  }
}

void execute(RunRequest& request, Session& session, RunResult& result) {
  Memory memory = open_memory(session, false);
  session.watched = memory.store != nullptr;
  Runner runner(session);
  const Plan plan = prepare(request, session, memory, runner);
  result.execution_id = request.ids.execution_id;
  if (request.observer != nullptr) {
    request.observer->started({request.job, request.ids});
    request.observer->planned(plan);
  }
  std::optional<RerunRecorder> recorder;
  if (memory.store && !plan.is_empty()) {
    recorder.emplace(*memory.store, *memory.now, session, plan, request.rerun.atomic_steps);
    runner.record_to(*recorder);
  }
  result.steps = runner.run(plan);
  result.exit_code = runner.exit_code();
  runner.finish_plugins(result);
  runner.finish();
  conclude(result);
  if (recorder) {
    recorder->finish(result);
    result.remembered = true;
  }
}

}  // namespace

RunResult run_job(const RunRequest& asked, const Clock& clock) {
  const SignalGuard signals;
  RunRequest request = asked;
  const LogLines lines(request.job.name, request.ids, log_shape(request), clock);
  const log::Routed logged(lines.route(request.observer));
  RunResult result;
  result.execution_id = request.ids.execution_id;
  result.start_time = clock.now();
  bool full = false;
  try {
    full = request.settings.get_bool("log_execution_result");
    if (request.job.steps.empty()) {
      throw no_steps(request.job);
    }
    OutputRelay relay(request.observer, request.screen);
    log::Route through;
    if (relay.is_active()) {
      through.write = [&relay](std::string_view line) { relay.write_error(line); };
    }
    const log::Routed in_order(std::move(through));
    Session session(request, clock, lines);
    session.relay = &relay;
    execute(request, session, result);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::usage || error.kind() == ErrorKind::conflict) {
      result.exit_code = exit_code(error.kind());
    }
    fail_run(result, error);
  } catch (const std::exception& error) {
    fail_run(result, Error(ErrorKind::platform, {"cannot run " + request.job.name, error.what(), "", ""}));
  }
  if (SignalGuard::received() != 0) {
    end_descendants();
  }
  conclude(result);
  result.end_time = clock.now();
  report(result, request, lines, full);
  if (request.observer != nullptr) {
    request.observer->ended(result);
  }
  return result;
}

void serve_job(const RunRequest& request, const Clock& clock, int socket) {
  const SignalGuard signals;
  const LogLines lines(request.job.name, request.ids, log_shape(request), clock);
  Session session(request, clock, lines);
  Runner runner(session);
  runner.serve(socket);
  runner.finish();
}

bool is_interrupted() noexcept { return SignalGuard::received() != 0; }

std::filesystem::path job_sdk_directory() { return sdk_directory(); }

Plan plan_job(const RunRequest& request, const Clock& clock) {
  const LogLines lines(request.job.name, request.ids, log_shape(request), clock);
  if (request.job.steps.empty()) {
    throw no_steps(request.job);
  }
  const Session session(request, clock, lines);
  return choose_steps(request, open_memory(session, true));
}

}  // namespace vdk::run

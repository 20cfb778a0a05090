// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/executions.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "control/embedded/notifications.hpp"
#include "vdk/control/counters.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

/// A row this young may belong to a process that is just about to tell the target.
constexpr std::chrono::seconds k_launch_grace{5};
constexpr std::chrono::seconds k_between_notes{5};
constexpr std::chrono::seconds k_settle_time{1};
constexpr const char* k_cancelled = "Job execution cancelled by user.";

ExecutionStatus map_status(const std::string& word) {
  if (word == "Success") {
    return ExecutionStatus::succeeded;
  }
  if (word == "User error") {
    return ExecutionStatus::user_error;
  }
  if (word == "Skipped") {
    return ExecutionStatus::skipped;
  }
  return word == "Cancelled" ? ExecutionStatus::cancelled : ExecutionStatus::platform_error;
}

long long seconds_of(TimePoint t) { return to_unix_micros(t) / 1'000'000; }

}  // namespace

ExecutionRow Executions::new_row(const Deployment& deployment) const {
  ExecutionRow row;
  row.execution.job_name = deployment.job_name;
  row.execution.start_time = m_context.clock.now();
  row.execution.deployment = deployment;
  row.submitted_time = *row.execution.start_time;
  return row;
}

void Executions::launch(ExecutionRow& row, const std::string& team) {
  const Execution& execution = row.execution;
  const auto folder = m_context.options.home / "locks";
  files::make_private_directory(folder);
  // A few files are enough: two starts that share one wait for each other some milliseconds.
  const auto number = std::hash<std::string>()(execution.id) % 16;
  const files::FileLock lock = files::FileLock::acquire(folder / ("start-" + std::to_string(number)));
  const auto present = m_context.store.execution(execution.job_name, execution.id);
  if (!present || is_final(present->execution.status)) {
    return;  // cancelled, or its job deleted, meanwhile
  }
  try {
    m_context.target.start({execution.id, execution.op_id, execution.job_name, team, execution.deployment.version_hash,
                            row.arguments_json, execution.started_by,
                            execution.scheduled_time ? format_time(*execution.scheduled_time) : std::string()});
    ++counters().executions_started;
  } catch (const Error& problem) {
    if (m_context.target.observe(execution.id).phase == target::Phase::unknown) {
      finish(row, ExecutionStatus::platform_error, problem.what(), std::nullopt);
    }
    throw;
  }
  failpoint("execution.started");
}

std::string Executions::start(const DataJob& job, const std::string& started_by, const std::string& arguments_json) {
  Store& store = m_context.store;
  refresh(job.job_name);
  ExecutionRow row;
  {
    Store::Write write(store);
    store.lock_job(job.job_name);
    const auto actual = store.actual(job.job_name);
    if (!actual || !store.find_job(job.job_name)) {
      throw job_not_deployed(job.job_name);
    }
    if (store.has_unfinished(job.job_name)) {
      throw Error(ErrorKind::conflict,
                  {"The Data Job '" + job.job_name + "' is currently being executed",
                   "only one execution of a job may run at a time", "No new execution was started.",
                   "Wait until it is over, or cancel it with `vdk execute --cancel`."});
    }
    row = new_row(*actual);
    const std::string base = job.job_name + "-" + std::to_string(seconds_of(row.submitted_time));
    row.execution.id = base;
    for (int number = 2; store.execution_id_is_taken(row.execution.id); ++number) {
      row.execution.id = base + "-" + std::to_string(number);
    }
    const Caller& caller = m_context.options.caller;
    row.execution.op_id = caller.op_id.empty() ? random_hex(8) : caller.op_id;
    row.execution.started_by = started_by + "/" + (caller.user.empty() ? "null" : caller.user);
    row.arguments_json = arguments_json.empty() ? "{}" : arguments_json;
    store.insert_execution(row);
    write.commit();
  }
  failpoint("execution.submitted");
  launch(row, job.team);
  settle(job.job_name, row.execution.id, std::chrono::steady_clock::now() + k_settle_time);
  clean(job.job_name);
  return row.execution.id;
}

bool Executions::start_scheduled(const Due& due) {
  Store& store = m_context.store;
  refresh(due.job_name);
  if (store.has_unfinished(due.job_name)) {
    return false;  // cheaper than a transaction every second; looked at again inside one
  }
  ExecutionRow row;
  std::optional<DataJob> job;
  {
    Store::Write write(store);
    store.lock_job(due.job_name);
    if (!store.claim_due(due)) {
      return true;  // another server has it
    }
    job = store.find_job(due.job_name);
    const auto actual = store.actual(due.job_name);
    const bool in_time = m_context.clock.now() - due.scheduled_time <= k_start_deadline;
    const auto desired = store.desired(due.job_name);
    const bool enabled = actual && actual->enabled && desired && desired->deployment.enabled;
    const bool wanted = job && enabled && !actual->schedule_cron.empty();
    const bool done = store.has_scheduled(due.job_name, due.scheduled_time);
    if (!wanted || done || !in_time) {
      store.delete_due(due.job_name);
      write.commit();
      if (wanted && !done) {
        log::warning("'" + due.job_name + "' was due at " + format_time(due.scheduled_time) +
                     " and could not be started in time; this time is left out");
      }
      return true;
    }
    if (store.has_unfinished(due.job_name)) {
      return false;
    }
    row = new_row(*actual);
    row.execution.id = due.job_name + "-" + std::to_string(seconds_of(due.scheduled_time) / 60);
    if (store.execution_id_is_taken(row.execution.id)) {
      row.execution.id += "-s";
    }
    row.execution.type = ExecutionType::scheduled;
    row.execution.op_id = random_hex(8);
    row.execution.started_by = "scheduled/runtime";
    row.execution.scheduled_time = due.scheduled_time;
    store.insert_execution(row);
    store.delete_due(due.job_name);
    write.commit();
  }
  failpoint("execution.submitted");
  try {
    launch(row, job->team);
    m_unsettled.emplace_back(due.job_name, row.execution.id);
    log::info("started '" + row.execution.id + "', due at " + format_time(due.scheduled_time));
  } catch (const Error& problem) {
    log::error("cannot start '" + row.execution.id + "': " + problem.what());
  }
  return true;
}

void Executions::settle() {
  const auto until = std::chrono::steady_clock::now() + k_settle_time;
  for (const auto& [job, id] : std::exchange(m_unsettled, {})) {
    settle(job, id, until);
  }
}

void Executions::settle(const std::string& job, const std::string& id, std::chrono::steady_clock::time_point until) {
  try {
    std::chrono::milliseconds nap{2};
    while (m_context.target.observe(id).phase == target::Phase::submitted && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(nap);
      nap = std::min(nap * 2, std::chrono::milliseconds(50));
    }
    refresh(job, id);
  } catch (const Error& problem) {
    // It is started; the monitor looks again, and says what is wrong if it still is.
    log::debug("cannot look at '" + id + "' after its start: " + problem.what());
  }
}

void Executions::finish(ExecutionRow& row, ExecutionStatus status, const std::string& message,
                        std::optional<TimePoint> end) {
  m_noted.erase(row.execution.id);
  row.execution.status = status;
  row.execution.message = message;
  row.execution.end_time = end ? end : m_context.clock.now();
  Store::Write write(m_context.store);
  if (m_context.store.update_execution(row.execution)) {
    Notifier(m_context.options, m_context.clock, m_context.store).execution_ended(row.execution);
  }
  write.commit();
}

bool Executions::may_note(const Execution& execution, const std::string& message) {
  const TimePoint now = m_context.clock.now();
  const auto noted = m_noted.find(execution.id);
  if (message.empty() || message == execution.message ||
      (noted != m_noted.end() && now - noted->second < k_between_notes)) {
    return false;
  }
  m_noted[execution.id] = now;
  return true;
}

void Executions::reconcile(ExecutionRow& row) {
  const auto seen = m_context.target.observe(row.execution.id);
  Execution& execution = row.execution;
  if (seen.start_time) {
    execution.start_time = seen.start_time;
  }
  switch (seen.phase) {
    case target::Phase::finished: {
      const ExecutionStatus status = map_status(seen.termination_status);
      finish(row, status, seen.message.empty() ? std::string(seen.termination_status) : seen.message, seen.end_time);
      return;
    }
    case target::Phase::lost:
      if (row.cancel_requested) {
        finish(row, ExecutionStatus::cancelled, k_cancelled, seen.end_time);
      } else {
        finish(row, ExecutionStatus::platform_error,
               "The process of the execution ended without a result: it was killed, or the machine was restarted.",
               seen.end_time);
      }
      return;
    case target::Phase::running: {
      const bool note = may_note(execution, seen.message);
      if (execution.status != ExecutionStatus::running || note) {
        execution.status = ExecutionStatus::running;
        execution.message = note ? seen.message : execution.message;
        m_context.store.update_execution(execution);
      }
      return;
    }
    case target::Phase::submitted:
    case target::Phase::unknown:
      break;
  }
  reconcile_unstarted(row, seen.phase == target::Phase::unknown);
}

void Executions::reconcile_unstarted(ExecutionRow& row, bool unknown) {
  const Execution& execution = row.execution;
  const auto age = m_context.clock.now() - row.submitted_time;
  if (row.cancel_requested) {
    finish(row, ExecutionStatus::cancelled, k_cancelled, std::nullopt);
  } else if (unknown && execution.status == ExecutionStatus::running) {
    finish(row, ExecutionStatus::platform_error, "The runtime does not know this execution any more.", std::nullopt);
  } else if (age > k_start_deadline) {
    m_context.target.cancel(execution.id);
    finish(row, ExecutionStatus::platform_error, "The execution could not be started within 1800 seconds.",
           std::nullopt);
  } else if (unknown && age > k_launch_grace) {
    // The process that stored the row died before it told the target.
    const auto job = m_context.store.find_job(execution.job_name);
    launch(row, job ? job->team : std::string());
  }
}

void Executions::refresh(const std::string& job) {
  for (ExecutionRow& row : m_context.store.unfinished(job)) {
    try {
      reconcile(row);
    } catch (const Error& problem) {
      if (m_told != problem.what()) {  // not every second
        m_told = problem.what();
        log::warning("cannot look after the execution '" + row.execution.id + "': " + m_told);
      }
    }
  }
}

void Executions::refresh(const std::string& job, const std::string& id) {
  auto row = m_context.store.execution(job, id);
  if (row && !is_final(row->execution.status)) {
    reconcile(*row);
  } else if (!row) {
    (void)get(job, id);
  }
}

Execution Executions::get(const std::string& job, const std::string& id) {
  const auto row = m_context.store.execution(job, id);
  if (!row) {
    throw Error(ErrorKind::not_found, {"The Data Job execution '" + id + "' does not exist",
                                       "the job '" + job + "' has no execution of this id", "Nothing was done.",
                                       "List the executions with `vdk execute --list -n " + job + "`."});
  }
  return row->execution;
}

void Executions::cancel(const std::string& job, const std::string& id) {
  refresh(job, id);
  const Execution present = get(job, id);
  if (is_final(present.status)) {
    throw Error(ErrorKind::conflict,
                {"The Data Job execution '" + id + "' cannot be cancelled",
                 "it is over already: " + std::string(to_string(present.status)), "The execution stays as it is.",
                 "Only submitted or running executions can be cancelled."});
  }
  // Noted first: whoever sees the process gone now knows why.
  m_context.store.request_cancel(id);
  m_context.target.cancel(id);
  failpoint("execution.cancelled");
  refresh(job, id);
}

void Executions::clean(const std::string& job) {
  if (job.empty()) {
    ++counters().cleanup_invocations;
  }
  const EmbeddedOptions& options = m_context.options;
  for (const std::string& id :
       m_context.store.outdated_executions(job, options.kept_executions, m_context.clock.now() - options.kept_time)) {
    try {
      m_context.target.forget(id);
      m_context.store.delete_execution(id);
      ++counters().cleanup_deleted;
    } catch (const Error& problem) {
      ++counters().cleanup_failed;
      log::warning("cannot forget the execution '" + id + "': " + problem.what());
    }
  }
}

}  // namespace vdk::control

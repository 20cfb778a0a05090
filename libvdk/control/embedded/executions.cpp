// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/executions.hpp"

#include <chrono>

#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

/// A row this young may belong to a process that is just about to tell the target.
constexpr std::chrono::seconds k_launch_grace{5};
constexpr int k_kept_executions = 100;
constexpr std::chrono::hours k_kept_time{14 * 24};

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

void Executions::launch(const ExecutionRow& row, const std::string& team) {
  const Execution& execution = row.execution;
  m_context.target.start({execution.id, execution.op_id, execution.job_name, team, execution.deployment.version_hash,
                          row.arguments_json, execution.started_by});
  failpoint("execution.started");
}

std::string Executions::start(const DataJob& job, const std::string& started_by, const std::string& arguments_json) {
  Store& store = m_context.store;
  refresh(job.job_name);
  const TimePoint now = m_context.clock.now();
  ExecutionRow row;
  {
    Store::Write write(store);
    const auto actual = store.actual(job.job_name);
    if (!actual) {
      throw job_not_deployed(job.job_name);
    }
    if (store.has_unfinished(job.job_name)) {
      throw Error(ErrorKind::conflict,
                  {"The Data Job '" + job.job_name + "' is currently being executed",
                   "only one execution of a job may run at a time", "No new execution was started.",
                   "Wait until it is over, or cancel it with `vdk execute --cancel`."});
    }
    const std::string base = job.job_name + "-" + std::to_string(seconds_of(now));
    std::string id = base;
    for (int number = 2; store.execution_id_is_taken(id); ++number) {
      id = base + "-" + std::to_string(number);
    }
    const Caller& caller = m_context.options.caller;
    row.execution.id = id;
    row.execution.job_name = job.job_name;
    row.execution.op_id = caller.op_id.empty() ? random_hex(8) : caller.op_id;
    row.execution.started_by = started_by + "/" + caller.user;
    row.execution.start_time = now;
    row.execution.deployment = *actual;
    row.submitted_time = now;
    row.arguments_json = arguments_json.empty() ? "{}" : arguments_json;
    store.insert_execution(row);
    write.commit();
  }
  failpoint("execution.submitted");
  try {
    launch(row, job.team);
  } catch (const Error& problem) {
    finish(row, ExecutionStatus::platform_error, problem.what(), m_context.clock.now());
    throw;
  }
  clean(job.job_name);
  return row.execution.id;
}

bool Executions::start_scheduled(const Due& due) {
  Store& store = m_context.store;
  const TimePoint now = m_context.clock.now();
  refresh(due.job_name);
  ExecutionRow row;
  const auto job = store.find_job(due.job_name);
  {
    Store::Write write(store);
    const auto actual = store.actual(due.job_name);
    const bool in_time = now - due.scheduled_time <= k_start_deadline;
    const bool wanted = job && actual && actual->enabled && !actual->schedule_cron.empty();
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
    row.execution.id = due.job_name + "-" + std::to_string(seconds_of(due.scheduled_time) / 60);
    if (store.execution_id_is_taken(row.execution.id)) {
      row.execution.id += "-s";
    }
    row.execution.job_name = due.job_name;
    row.execution.type = ExecutionType::scheduled;
    row.execution.op_id = random_hex(8);
    row.execution.started_by = "scheduled/runtime";
    row.execution.start_time = now;
    row.execution.scheduled_time = due.scheduled_time;
    row.execution.deployment = *actual;
    row.submitted_time = now;
    store.insert_execution(row);
    store.delete_due(due.job_name);
    write.commit();
  }
  failpoint("execution.submitted");
  try {
    launch(row, job->team);
    log::info("started '" + row.execution.id + "', due at " + format_time(due.scheduled_time));
  } catch (const Error& problem) {
    finish(row, ExecutionStatus::platform_error, problem.what(), m_context.clock.now());
    log::error("cannot start '" + row.execution.id + "': " + problem.what());
  }
  return true;
}

void Executions::finish(ExecutionRow& row, ExecutionStatus status, const std::string& message,
                        std::optional<TimePoint> end) {
  row.execution.status = status;
  row.execution.message = message;
  row.execution.end_time = end ? end : m_context.clock.now();
  m_context.store.update_execution(row.execution);
}

void Executions::reconcile(ExecutionRow& row) {
  const auto seen = m_context.target.observe(row.execution.id);
  Execution& execution = row.execution;
  const auto age = m_context.clock.now() - row.submitted_time;
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
        finish(row, ExecutionStatus::cancelled, "Job execution cancelled by user.", seen.end_time);
      } else {
        finish(row, ExecutionStatus::platform_error,
               "The process of the execution ended without a result: it was killed, or the machine was restarted.",
               seen.end_time);
      }
      return;
    case target::Phase::running:
      if (execution.status != ExecutionStatus::running) {
        execution.status = ExecutionStatus::running;
        m_context.store.update_execution(execution);
      }
      return;
    case target::Phase::submitted:
    case target::Phase::unknown:
      break;
  }
  if (row.cancel_requested) {
    finish(row, ExecutionStatus::cancelled, "Job execution cancelled by user.", std::nullopt);
  } else if (seen.phase == target::Phase::unknown && execution.status == ExecutionStatus::running) {
    finish(row, ExecutionStatus::platform_error, "The runtime does not know this execution any more.", std::nullopt);
  } else if (age > k_start_deadline) {
    m_context.target.cancel(execution.id);
    finish(row, ExecutionStatus::platform_error, "The execution could not be started within 1800 seconds.",
           std::nullopt);
  } else if (seen.phase == target::Phase::unknown && age > k_launch_grace) {
    // The process that stored the row died before it told the target.
    const auto job = m_context.store.find_job(execution.job_name);
    try {
      launch(row, job ? job->team : std::string());
    } catch (const Error& problem) {
      finish(row, ExecutionStatus::platform_error, problem.what(), std::nullopt);
    }
  }
}

void Executions::refresh(const std::string& job) {
  for (ExecutionRow& row : m_context.store.unfinished(job)) {
    reconcile(row);
  }
}

Execution Executions::get(const std::string& job, const std::string& id) {
  auto row = m_context.store.execution(job, id);
  if (row && !is_final(row->execution.status)) {
    reconcile(*row);
    row = m_context.store.execution(job, id);
  }
  if (!row) {
    throw Error(ErrorKind::not_found, {"The Data Job execution '" + id + "' does not exist",
                                       "the job '" + job + "' has no execution of this id", "Nothing was done.",
                                       "List the executions with `vdk execute --list -n " + job + "`."});
  }
  return row->execution;
}

void Executions::cancel(const std::string& job, const std::string& id) {
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
  auto row = m_context.store.execution(job, id);
  if (row && !is_final(row->execution.status)) {
    reconcile(*row);
  }
}

void Executions::clean(const std::string& job) {
  for (const std::string& id :
       m_context.store.outdated_executions(job, k_kept_executions, m_context.clock.now() - k_kept_time)) {
    m_context.target.forget(id);
    m_context.store.delete_execution(id);
  }
}

}  // namespace vdk::control

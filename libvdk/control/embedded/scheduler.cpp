// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/scheduler.hpp"

#include <algorithm>
#include <exception>

#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr const char* k_last_check = "scheduler_last_check";
/// How old the stored time of the last check may become while nothing is due.
constexpr std::chrono::seconds k_store_interval{30};

}  // namespace

void Scheduler::reload(TimePoint last) {
  m_entries.clear();
  for (const Deployment& deployment : m_context.store.scheduled()) {
    try {
      Entry entry{deployment.job_name, Cron::parse(deployment.schedule_cron),
                  deployment.last_deployed_date.value_or(TimePoint()), std::nullopt};
      entry.next = entry.cron.next(std::max(last, entry.not_before));
      m_entries.push_back(std::move(entry));
    } catch (const Error& problem) {
      log::error("'" + deployment.job_name + "' is not scheduled: " + problem.what());
    }
  }
}

void Scheduler::tick() {
  Store& store = m_context.store;
  const TimePoint now = m_context.clock.now();
  if (!m_last) {
    const auto stored = text::parse_int(store.state(k_last_check).value_or(std::string()));
    m_last = stored ? std::min(from_unix_micros(*stored), now) : now;
  }
  // A clock that was set back must not make the scheduler look at times again; they are stored and refused anyway.
  const TimePoint last = std::min(*m_last, now);
  const long long revision = store.deployments_revision();
  if (m_revision != revision) {
    reload(last);
    m_revision = revision;
  }
  std::vector<Due> found;
  for (Entry& entry : m_entries) {
    if (entry.next && *entry.next <= now) {
      if (const auto time = entry.cron.last_between(std::max(last, entry.not_before), now)) {
        found.push_back({entry.job_name, *time});
      }
      entry.next = entry.cron.next(now);
    }
  }
  // One order for all servers: none waits for another that waits for it.
  std::sort(found.begin(), found.end(), [](const Due& a, const Due& b) { return a.job_name < b.job_name; });
  if (!found.empty() || !m_stored || now - *m_stored >= k_store_interval) {
    Store::Write write(store);
    for (const Due& due : found) {
      if (store.actual(due.job_name) && store.find_job(due.job_name)) {
        store.put_due(due);
      }
    }
    store.put_state(k_last_check, std::to_string(to_unix_micros(now)));
    write.commit();
    m_stored = now;
    failpoint("scheduler.due");
  }
  m_last = now;
  start_waiting();
}

void Scheduler::start_waiting() {
  std::exception_ptr trouble;
  for (const Due& due : m_context.store.due()) {
    try {
      m_executions.start_scheduled(due);
    } catch (const Error& problem) {
      // One job's trouble keeps no other from its time; a conflict means that somebody else was faster.
      if (problem.kind() != ErrorKind::conflict) {
        trouble = std::current_exception();
      }
    }
  }
  m_executions.settle();
  if (trouble) {
    std::rethrow_exception(trouble);
  }
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/embedded/executions.hpp"
#include "vdk/core/cron.hpp"

namespace vdk::control {

/// Finds what is due and starts it. A due time is stored before anything is started; one due time per job waits while
/// the job is still running, a later one takes its place. After downtime only the latest missed time of a job counts.
/// Every server of a database may do this: a due time is claimed by its row, and a time is executed once by a
/// constraint.
class Scheduler {
 public:
  explicit Scheduler(const Context& context) : m_context(context), m_executions(context) {}
  void tick();

 private:
  struct Entry {
    std::string job_name;
    Cron cron;
    TimePoint not_before;  ///< the deployment's date: a new schedule does not look back
    std::optional<TimePoint> next;
  };
  void reload(TimePoint last);
  void start_waiting();
  Context m_context;
  Executions m_executions;
  std::vector<Entry> m_entries;
  std::optional<long long> m_revision;
  std::optional<TimePoint> m_last;
  std::optional<TimePoint> m_stored;
};

}  // namespace vdk::control

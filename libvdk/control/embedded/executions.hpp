// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// How long after its time an execution may still begin.
constexpr std::chrono::seconds k_start_deadline{1800};

/// Starts executions and keeps their rows true to what the target says. Every row is stored before the target is told,
/// and telling it twice is harmless: a crash in between is made good by refresh(). Several servers may do this at once:
/// a row that is final stays as it is, and one process at a time speaks to the target about a start.
class Executions {
 public:
  explicit Executions(const Context& context) : m_context(context) {}

  std::string start(const DataJob& job, const std::string& started_by, const std::string& arguments_json);
  /// False when the job is busy, so that the due time waits; true when it was started or needs no start any more.
  /// Many may be started in a row; settle() belongs after the last one.
  bool start_scheduled(const Due& due);
  /// Store what became of the latest scheduled starts. A target that runs them at once is given a second, all together:
  /// who reads the database after a start shall not find "submitted" until the monitor comes by.
  void settle();
  /// Ask the target about everything unfinished, of one job or of all (empty). Trouble with one execution is logged and
  /// keeps no other from being looked at.
  void refresh(const std::string& job);
  /// Ask the target about one execution; Error(not_found) when there is none.
  void refresh(const std::string& job, const std::string& id);
  void cancel(const std::string& job, const std::string& id);
  /// What the database says; Error(not_found).
  [[nodiscard]] Execution get(const std::string& job, const std::string& id);
  /// Forget finished executions beyond the newest kept_executions or older than kept_time, of one job or of all
  /// (empty).
  void clean(const std::string& job);

 private:
  [[nodiscard]] ExecutionRow new_row(const Deployment& deployment) const;
  /// Tell the target, unless the row is over meanwhile; a start that fails ends the execution and throws.
  void launch(ExecutionRow& row, const std::string& team);
  /// The same for one execution; `until` bounds the wait.
  void settle(const std::string& job, const std::string& id, std::chrono::steady_clock::time_point until);
  void reconcile(ExecutionRow& row);
  void reconcile_unstarted(ExecutionRow& row, bool unknown);
  void finish(ExecutionRow& row, ExecutionStatus status, const std::string& message, std::optional<TimePoint> end);
  Context m_context;
  /// Where a running execution is has changed and may be stored: not more often than readers look.
  [[nodiscard]] bool may_note(const Execution& execution, const std::string& message);
  std::string m_told;                                            ///< the latest trouble of refresh()
  std::map<std::string, TimePoint> m_noted;                      ///< running executions, by id
  std::vector<std::pair<std::string, std::string>> m_unsettled;  ///< job and id of scheduled starts
};

}  // namespace vdk::control

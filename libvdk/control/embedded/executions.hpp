// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// How long after its time an execution may still begin.
constexpr std::chrono::seconds k_start_deadline{1800};

/// Starts executions and keeps their rows true to what the target says. Every row is stored before the target is told,
/// and telling it twice is harmless: a crash in between is made good by refresh().
class Executions {
 public:
  explicit Executions(const Context& context) : m_context(context) {}

  std::string start(const DataJob& job, const std::string& started_by, const std::string& arguments_json);
  /// False when the job is busy, so that the due time waits; true when it was started or needs no start any more.
  bool start_scheduled(const Due& due);
  /// Ask the target about everything unfinished, of one job or of all (empty).
  void refresh(const std::string& job);
  void cancel(const std::string& job, const std::string& id);
  [[nodiscard]] Execution get(const std::string& job, const std::string& id);
  /// Forget finished executions beyond the newest 100 or older than 14 days, of one job or of all (empty).
  void clean(const std::string& job);

 private:
  void launch(const ExecutionRow& row, const std::string& team);
  void reconcile(ExecutionRow& row);
  void finish(ExecutionRow& row, ExecutionStatus status, const std::string& message, std::optional<TimePoint> end);
  Context m_context;
};

}  // namespace vdk::control

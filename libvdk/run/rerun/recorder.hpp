// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "run/rerun/atomic_steps.hpp"
#include "run/rerun/inputs.hpp"
#include "vdk/run/plan.hpp"

namespace vdk::run {

/// What a step asked for while it ran, besides what the Python host sees itself.
struct Asked {
  std::set<std::string> arguments;
  std::set<std::string> properties;
  nlohmann::ordered_json host;  ///< what the host says about a Python step; null for others
};

/// Writes down each step of the job as it runs, so that a later run can leave it out.
class RerunRecorder {
 public:
  RerunRecorder(RerunStore& store, RerunInputs& now, const Session& session, const Plan& plan, bool atomic);

  /// False for what runs besides the steps of the job, after a failure.
  [[nodiscard]] bool knows(const job::Step& step) const { return m_identities.contains(key(step)); }
  void begin(const job::Step& step);
  /// Where the host saves what the step leaves behind.
  [[nodiscard]] std::filesystem::path snapshot() const { return m_store.snapshot(m_record.id); }
  void end(const StepResult& result, const Asked& asked);
  /// A step is going to store properties or secrets: what it read of them is what they were before.
  void writes_values(const std::string& store, const std::string& json_object);
  /// After all connections are closed. Puts the databases back when a step failed and steps are atomic.
  void finish(const RunResult& result);

 private:
  void note_attached();
  void note_files(const nlohmann::ordered_json& host);
  void note_values(const Asked& asked);
  void note_carry(const nlohmann::ordered_json& host);
  RerunStore& m_store;
  RerunInputs& m_now;
  const Session& m_session;
  AtomicSteps m_atomic;
  bool m_is_atomic;
  [[nodiscard]] static std::string key(const job::Step& step) { return step.file.string() + "\n" + step.name; }
  std::map<std::string, std::string> m_identities;  ///< by file and name of the step
  std::map<std::string, std::string> m_before;      ///< identity -> identity of the step before it
  std::string m_identity;
  StepRecord m_record;
  Carry m_carry;
  std::set<std::string> m_written;    ///< files, by the steps of this run
  std::set<std::string> m_rewritten;  ///< stores that the step has written to
};

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// A record that the job's Python code has logged.
struct LogRecord {
  std::string level;  ///< as Python names it
  std::string logger;
  std::string message;
  std::string exception;  ///< traceback; empty without
};

/// What a step writes to.
enum class OutputStream { out = 1, error = 2 };

/// Sees everything that happens in a run, in order, from the thread that runs the job. Order of calls: started
/// and planned once, then for each step started, (ingested, progress, log_line)*, ended (nested for templates), at last
/// `ended`, which alone comes for a run that fails before its plan is made. secret and log_line come at any time;
/// logged and output come from another thread, and all of a step's before its end. An observer must not throw and must
/// not block for long: the job waits for it.
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
  /// Whether logged and output are called: a run that nobody watches so closely leaves the streams alone.
  [[nodiscard]] virtual bool wants_output() const { return false; }
  virtual void logged(const LogRecord& /*record*/) {}
  /// Bytes as they came from steps and the programs that they start, after they have been passed on.
  virtual void output(OutputStream /*stream*/, std::string_view /*bytes*/) {}
  virtual void ended(const RunResult& /*result*/) {}
};

/// Several observers as one; each hears of all, in the order in which they were added.
class Observers final : public Observer {
 public:
  void add(Observer& observer) { m_all.push_back(&observer); }
  void started(const RunStart& start) override;
  void planned(const Plan& plan) override;
  void secret(std::string_view value) override;
  void step_started(const StepStart& start) override;
  void step_ended(const StepResult& result, int depth) override;
  void ingested(std::string_view method, std::string_view table, long long rows) override;
  void progress(std::string_view text) override;
  void log_line(std::string_view level, std::string_view text) override;
  [[nodiscard]] bool wants_output() const override;
  void logged(const LogRecord& record) override;
  void output(OutputStream stream, std::string_view bytes) override;
  void ended(const RunResult& result) override;

 private:
  std::vector<Observer*> m_all;
};

/// Writes for a run, when somebody else draws on the same terminal: what steps print and what is logged. Called from
/// several threads.
class Screen {
 public:
  virtual ~Screen() = default;
  /// All of it to the descriptor, which is the real standard output or error. False when that cannot be.
  virtual bool write(int descriptor, std::string_view bytes) = 0;
};

}  // namespace vdk::run

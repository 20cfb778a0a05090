// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "vdk/config/settings.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/run/observer.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// How long one line may wait for a reader that takes nothing, before the stream is given up.
inline constexpr std::chrono::milliseconds k_event_patience{5000};

/// What of a run an event stream has.
struct EventScope {
  bool output = true;          ///< what steps print, and their log records
  std::size_t most_bytes = 0;  ///< from there on steps and the result only, from four times that the result; 0 = no end
};

/// What happens in a run as JSON lines for a program (docs/events.md). A reader that goes away or stops reading costs
/// the stream, never the run. The caller ignores SIGPIPE.
class EventStream final : public Observer {
 public:
  /// `where`: digits are an open descriptor that this process has inherited, 3 or above; anything else is a file, made
  /// for the owner alone or emptied. Throws Error(usage) when it cannot be written to.
  EventStream(const std::string& where, const Clock& clock, EventScope scope = {},
              std::chrono::milliseconds patience = k_event_patience);
  ~EventStream() override;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// The values of secret settings must not be shown.
  void hide(const config::Settings& settings);
  /// The run ends with an error before it has begun: the result, when none has been written.
  void refused(const Error& error);

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
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace vdk::run

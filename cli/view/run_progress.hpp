// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/view/terminal.hpp"
#include "vdk/run/observer.hpp"

namespace vdk::cli {

/// One line on the terminal that lives as long as a step runs and keeps silent, and is never between what others write.
class RunProgress final : public run::Observer, public run::Screen {
 public:
  RunProgress();
  ~RunProgress() override;
  RunProgress(const RunProgress&) = delete;
  RunProgress& operator=(const RunProgress&) = delete;

  void step_started(const run::StepStart& start) override;
  void step_ended(const run::StepResult& result, int depth) override;
  void ingested(std::string_view method, std::string_view table, long long rows) override;
  void progress(std::string_view text) override;
  bool write(int descriptor, std::string_view bytes) override;

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Running {
    std::string name;
    std::size_t number;
    std::size_t count;
    SteadyClock::time_point since;
    long long rows = 0;
    std::string text;
  };

  void tick();
  /// False when the line may not come now.
  bool draw();
  [[nodiscard]] std::string line() const;

  int m_terminal;  ///< what standard error is before the run begins
  std::mutex m_mutex;
  ProgressLine m_line;
  std::vector<Running> m_running;  ///< a step, and those of the templates in it
  bool m_at_line_start = true;
  SteadyClock::time_point m_written;
  const char* m_between;
  bool m_ends = false;
  std::condition_variable m_wake;
  std::thread m_ticker;
};

}  // namespace vdk::cli

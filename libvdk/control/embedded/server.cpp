// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <thread>
#include <vector>

#include "control/embedded/executions.hpp"
#include "control/embedded/notifications.hpp"
#include "control/embedded/parts.hpp"
#include "control/embedded/presence.hpp"
#include "control/embedded/scheduler.hpp"
#include "control/embedded/synchronizer_task.hpp"
#include "vdk/control/counters.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_nap{100};
constexpr std::chrono::seconds k_tick{1};
constexpr std::chrono::hours k_clean{1};

/// Do `work` now and every `period` after until `stop`. One loop's trouble must not end the server: it is told once per
/// kind of trouble, and everything is tried again a second later.
void repeat(const char* name, std::chrono::milliseconds period, const std::atomic<bool>& stop,
            const std::function<void()>& work) {
  std::string told;
  auto next = Steady::now();
  while (!stop) {
    if (Steady::now() >= next) {
      try {
        next = Steady::now() + period;
        work();
        if (!told.empty()) {
          told.clear();
          log::info(std::string(name) + ": works again");
        }
      } catch (const std::exception& problem) {
        next = std::min(next, Steady::now() + k_tick);
        if (told != problem.what()) {
          told = problem.what();
          log::error(std::string(name) + ": " + told);
        }
      }
    }
    std::this_thread::sleep_for(k_nap);
  }
}

/// A task over its own session of the database, opened at its first turn.
template <typename Task>
class Lazy {
 public:
  Lazy(const EmbeddedOptions& options, const MakeTarget& make_target, const Clock& clock)
      : m_options(options), m_make_target(make_target), m_clock(clock) {}
  Task& get() {
    if (!m_task) {
      m_parts.emplace(m_options, m_make_target, m_clock);
      m_task.emplace(m_parts->context);
    }
    return *m_task;
  }

 private:
  const EmbeddedOptions& m_options;
  const MakeTarget& m_make_target;
  const Clock& m_clock;
  std::optional<Parts> m_parts;
  std::optional<Task> m_task;
};

}  // namespace

void serve_embedded(EmbeddedOptions options, const MakeTarget& make_target, std::shared_ptr<const Clock> clock,
                    const std::atomic<bool>& stop, std::atomic<bool>& reload) {
  const Presence presence(options);
  { const Store store(options.database, options.home); }  // what is wrong from the start is told now
  std::vector<std::jthread> threads;
  if (options.synchronizer.enabled) {
    threads.emplace_back([&] {
      SynchronizerTask task(options, make_target, *clock, is_shared(options));
      task.run(stop, reload);
      counters().synchronizes = false;
    });
  }
  threads.emplace_back([&] { Notifier::run(options, *clock, stop); });
  threads.emplace_back([&] {
    Lazy<Executions> executions(options, make_target, *clock);
    repeat("execution monitor", k_tick, stop, [&] {
      ++counters().watch_invocations;
      executions.get().refresh(std::string());
    });
  });
  threads.emplace_back([&] {
    Lazy<Executions> executions(options, make_target, *clock);
    repeat("cleanup", k_clean, stop, [&] { executions.get().clean(std::string()); });
  });
  Lazy<Scheduler> scheduler(options, make_target, *clock);
  repeat("scheduler", k_tick, stop, [&] { scheduler.get().tick(); });
}

}  // namespace vdk::control

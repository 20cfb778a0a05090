// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <thread>

#include "control/embedded/executions.hpp"
#include "control/embedded/rules.hpp"
#include "control/embedded/scheduler.hpp"
#include "control/embedded/synchronizer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_nap{100};
constexpr std::chrono::seconds k_tick{1};
constexpr std::chrono::seconds k_synchronize{60};
constexpr std::chrono::minutes k_inspect{10};
constexpr std::chrono::hours k_clean{1};

/// One loop's trouble must not end the server: it is told once per kind of trouble and tried again.
template <typename Work>
void guarded(const char* name, std::string& last_problem, const Work& work) {
  try {
    work();
    last_problem.clear();
  } catch (const std::exception& problem) {
    if (last_problem != problem.what()) {
      last_problem = problem.what();
      log::error(std::string(name) + ": " + last_problem);
    }
  }
}

/// Everything that a loop needs for itself; the database session belongs to its thread.
struct Parts {
  Parts(const EmbeddedOptions& options, target::Target& target, const Clock& clock)
      : store(options.database, options.home),
        sources(options.home, options.caller.user),
        context{options, target, clock, store, sources} {}
  Store store;
  Sources sources;
  Context context;
};

void synchronize(Parts& parts, const std::atomic<bool>& stop) {
  Synchronizer synchronizer(parts.context);
  std::string problem;
  Steady::time_point next = Steady::now();
  Steady::time_point next_inspection = next;
  while (!stop) {
    const auto now = Steady::now();
    if (now >= next) {
      const bool inspect = now >= next_inspection;
      guarded("synchronizer", problem, [&] { synchronizer.pass(inspect); });
      if (inspect) {
        next_inspection = now + k_inspect;
      }
      next = Steady::now() + k_synchronize;
    }
    std::this_thread::sleep_for(k_nap);
  }
}

void schedule(Parts& parts, const std::atomic<bool>& stop) {
  Scheduler scheduler(parts.context);
  Executions executions(parts.context);
  std::string scheduler_problem;
  std::string monitor_problem;
  std::string cleanup_problem;
  Steady::time_point next = Steady::now();
  Steady::time_point next_cleanup = next;
  while (!stop) {
    const auto now = Steady::now();
    if (now >= next) {
      next = now + k_tick;
      guarded("execution monitor", monitor_problem, [&] { executions.refresh({}); });
      guarded("scheduler", scheduler_problem, [&] { scheduler.tick(); });
    }
    if (now >= next_cleanup) {
      next_cleanup = now + k_clean;
      guarded("cleanup", cleanup_problem, [&] { executions.clean({}); });
    }
    std::this_thread::sleep_for(k_nap);
  }
}

}  // namespace

void serve_embedded(EmbeddedOptions options, const MakeTarget& make_target, std::shared_ptr<const Clock> clock,
                    const std::atomic<bool>& stop, std::atomic<bool>& /*reload*/) {
  files::make_private_directory(options.home);
  const auto lock = files::FileLock::try_acquire(options.home / "server.lock");
  if (!lock) {
    const std::string pid(text::trim(files::read_if_exists(options.home / "server.pid").value_or("")));
    throw Error(ErrorKind::conflict,
                {"cannot start the server",
                 "another server runs on '" + options.home.string() + "'" +
                     (pid.empty() ? std::string() : ", its process id is " + pid),
                 "This server does not start; the other one goes on.",
                 "Stop the other server first, or choose another home with VDK_CONTROL_SERVICE_HOME."});
  }
  files::write_atomic(options.home / "server.pid", std::to_string(getpid()) + "\n", 0600);
  const auto scheduling_target = make_target();
  const auto synchronizing_target = make_target();
  Parts scheduling(options, *scheduling_target, *clock);
  Parts synchronizing(options, *synchronizing_target, *clock);
  {
    std::jthread thread([&] { synchronize(synchronizing, stop); });
    schedule(scheduling, stop);
  }
  std::error_code ignored;
  std::filesystem::remove(options.home / "server.pid", ignored);
}

bool server_is_running(const std::filesystem::path& home) { return files::FileLock::is_held(home / "server.lock"); }

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
// server, schedule preview, version
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>

#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/control/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler may only touch a lock-free flag");

std::atomic<long long> first_signal_ms{0};

long long monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// The first signal asks for a clean stop, a later one ends the process. A second one right behind the first is the
/// same request: timeout(1) and supervisors signal the process and its group.
extern "C" void on_stop_signal(int) {
  constexpr int interrupted = 130;
  constexpr long long same_request_ms = 300;
  if (!stop_requested.exchange(true)) {
    first_signal_ms = monotonic_ms();
  } else if (monotonic_ms() - first_signal_ms > same_request_ms) {
    ::_exit(interrupted);
  }
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

int run_server(const ParsedCommand&, Context& context) {
  control::EmbeddedOptions options = context.embedded_options(Interpreters::needed);
  catch_stop_signals();
  log::info("vdk server for " + context.home().string() + "; Ctrl-C stops it.");
  std::atomic<bool> reload{false};
  const auto home = context.home();
  control::serve_embedded(
      std::move(options), [home] { return target::make_local_target(home, files::executable()); }, context.clock(),
      stop_requested, reload);
  log::info("vdk server stopped.");
  return 0;
}

int run_schedule_preview(const ParsedCommand& command, Context& context) {
  constexpr long long most = 1000;
  const std::string wanted = command.value_or("count", "5");
  const auto count = text::parse_int(wanted);
  if (!count || *count < 1 || *count > most) {
    throw Error(ErrorKind::usage,
                {"invalid value for '--count' / '-n'", "'" + wanted + "' is not a number from 1 to 1000",
                 "nothing was done", "give how many times to show, for example -n 5"});
  }
  const std::string& expression = command.positionals.front();
  const control::Cron cron = control::Cron::parse(expression);
  Json times = Json::array();
  std::string out;
  TimePoint at = context.clock()->now();
  for (long long i = 0; i < *count; ++i) {
    const auto next = cron.next(at);
    if (!next) {
      break;
    }
    at = *next;
    times.push_back(format_time(at));
    out += format_time(at) + "\n";
  }
  if (times.empty()) {
    log::warning("the schedule '" + expression + "' is never due within the next 8 years");
  }
  print(context.json() ? dump_json(times) + "\n" : out);
  return 0;
}

int run_version(const ParsedCommand&, Context& context) {
  const std::string details = "compiler=" __VERSION__ ", standard=C++20";
  if (context.json()) {
    Json record;
    record["version"] = VDK_VERSION;
    record["build_details"] = details;
    print(dump_json(record) + "\n");
  } else {
    print("Version: " VDK_VERSION "\nBuild details: " + details + "\n");
  }
  return 0;
}

}  // namespace vdk::cli

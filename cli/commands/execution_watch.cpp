// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/execution_watch.hpp"

#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {

namespace {
constexpr std::size_t k_most_event_bytes = 4U << 20U;  // the log has all; this is kept as long as the execution
}

void ExecutionWatch::Step::step_started(const run::StepStart& start) {
  if (start.depth == 0) {
    target::note_local_execution(m_directory, "step " + std::to_string(start.number) + " of " +
                                                  std::to_string(start.count) + ": " + start.step.name);
  }
}

ExecutionWatch::ExecutionWatch(std::filesystem::path directory, const config::Settings& settings, const Clock& clock)
    : m_step(directory) {
  m_all.add(m_step);
  try {
    m_events.emplace(target::local_execution_events(directory).string(), clock,
                     run::EventScope{.output = false, .most_bytes = k_most_event_bytes});
    m_events->hide(settings);
    m_all.add(*m_events);
  } catch (const Error& error) {
    log::warning(std::string("the events of this execution are not kept: ") + error.what());
  }
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "vdk/config/settings.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/run/events.hpp"
#include "vdk/run/observer.hpp"

namespace vdk::cli {

/// Tells who asks for a deployed execution where it is, and keeps its events beside its log.
class ExecutionWatch {
 public:
  /// An execution goes on without events that cannot be written.
  ExecutionWatch(std::filesystem::path directory, const config::Settings& settings, const Clock& clock);
  [[nodiscard]] run::Observer& observer() noexcept { return m_all; }

 private:
  class Step final : public run::Observer {
   public:
    explicit Step(std::filesystem::path directory) : m_directory(std::move(directory)) {}
    void step_started(const run::StepStart& start) override;

   private:
    std::filesystem::path m_directory;
  };

  Step m_step;
  std::optional<run::EventStream> m_events;
  run::Observers m_all;
};

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <source_location>
#include <string>
#include <string_view>

#include "vdk/core/clock.hpp"
#include "vdk/core/log.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Plain sentences for a person, the original's full line for who collects logs, an object for a program.
enum class LogShape { sentences, collected, json };

/// Log lines of a run.
class LogLines {
 public:
  /// The ids may change while it lives.
  LogLines(std::string job, const Ids& ids, LogShape shape, const Clock& clock);

  void info(std::string_view message, std::source_location where = std::source_location::current()) const;
  void warning(std::string_view message, std::source_location where = std::source_location::current()) const;
  void error(std::string_view message, std::source_location where = std::source_location::current()) const;
  /// The line that ends a run; `full_result` is a JSON object that a program gets as such.
  void result(log::Level level, std::string_view message, const std::string& full_result,
              std::source_location where = std::source_location::current()) const;

  /// For what is logged by others meanwhile. The observer may be null; both must outlive it.
  [[nodiscard]] log::Route route(Observer* observer) const;
  /// The step that runs; empty outside of steps. Returns the one before.
  std::string set_step(std::string step) const;

  /// One full line, without its end. Public for tests.
  [[nodiscard]] std::string full_line(std::string_view level, std::string_view message,
                                      const std::source_location& where) const;
  /// One JSON object; `where` null = unknown.
  [[nodiscard]] std::string json_line(std::string_view level, std::string_view message,
                                      const std::source_location* where, const std::string& result = {}) const;

 private:
  void write(log::Level level, std::string_view message, const std::source_location& where,
             const std::string& result = {}) const;

  std::string m_job;
  const Ids& m_ids;
  LogShape m_shape;
  const Clock& m_clock;
  mutable std::mutex m_mutex;  ///< others than the job's thread log too
  mutable std::string m_step;
};

/// As the original and Python name it.
[[nodiscard]] std::string_view level_name(log::Level level) noexcept;
[[nodiscard]] LogShape log_shape(const RunRequest& request) noexcept;

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <source_location>
#include <string>
#include <string_view>

#include "vdk/core/clock.hpp"
#include "vdk/core/log.hpp"

namespace vdk::run {

/// Log lines of a run: the original's full shape when somebody collects them, plain sentences for a person.
class LogLines {
 public:
  LogLines(std::string job, std::string attempt_id, bool collected, const Clock& clock);

  void info(std::string_view message, std::source_location where = std::source_location::current()) const;
  void warning(std::string_view message, std::source_location where = std::source_location::current()) const;
  void error(std::string_view message, std::source_location where = std::source_location::current()) const;

  /// One full line, without its end. Public for tests.
  [[nodiscard]] std::string full_line(std::string_view level, std::string_view message,
                                      const std::source_location& where) const;

 private:
  void write(log::Level level, std::string_view name, std::string_view message,
             const std::source_location& where) const;
  std::string m_job;
  std::string m_attempt_id;
  bool m_collected;
  const Clock& m_clock;
};

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <source_location>
#include <string>
#include <string_view>

#include "vdk/core/clock.hpp"
#include "vdk/core/log.hpp"

namespace vdk::run {

class Observer;

/// Log lines of a run: the original's full shape when somebody collects them, plain sentences for a person.
class LogLines {
 public:
  /// The observer, where there is one, sees each line that is written.
  LogLines(std::string job, std::string attempt_id, bool collected, const Clock& clock, Observer* observer = nullptr);

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
  Observer* m_observer;
};

}  // namespace vdk::run

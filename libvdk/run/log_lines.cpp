// SPDX-License-Identifier: Apache-2.0
#include "run/log_lines.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "vdk/run/observer.hpp"

namespace vdk::run {

namespace {

/// Exactly `width` bytes: padded or cut.
std::string fit(std::string_view s, std::size_t width, bool right_aligned = false) {
  std::string cut(s.substr(0, width));
  const std::string padding(width - cut.size(), ' ');
  return right_aligned ? padding + cut : cut + padding;
}

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// "void vdk::run::f(int)" -> "f"
std::string function_name(std::string_view signature) {
  signature = signature.substr(0, signature.find('('));
  const std::size_t start = signature.find_last_of(": ");
  return std::string(start == std::string_view::npos ? signature : signature.substr(start + 1));
}

std::string timestamp(TimePoint now) {
  const long long micros = to_unix_micros(now);
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> buffer{};
  const std::size_t length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::string millis = std::to_string(micros / 1'000 % 1'000);
  millis.insert(0, 3 - millis.size(), '0');
  return std::string(buffer.data(), length) + "," + millis;
}

}  // namespace

LogLines::LogLines(std::string job, std::string attempt_id, bool collected, const Clock& clock, Observer* observer)
    : m_job(std::move(job)),
      m_attempt_id(std::move(attempt_id)),
      m_collected(collected),
      m_clock(clock),
      m_observer(observer) {}

std::string LogLines::full_line(std::string_view level, std::string_view message,
                                const std::source_location& where) const {
  std::string line = timestamp(m_clock.now()) + " [VDK] " + m_job + " [" + fit(level, 5) + "] ";
  line += fit("vdk.run", 30) + " " + fit(base_name(where.file_name()), 20, true) + ":";
  line += fit(std::to_string(where.line()), 4) + " " + fit(function_name(where.function_name()), 16);
  return line + "[id:" + m_attempt_id + "]- " + std::string(message);
}

void LogLines::write(log::Level level, std::string_view name, std::string_view message,
                     const std::source_location& where) const {
  if (level < log::level()) {
    return;
  }
  if (m_observer != nullptr) {
    m_observer->log_line(name, message);
  }
  if (m_collected) {
    const std::string line = full_line(name, message, where) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
  } else if (level == log::Level::info) {
    log::info(message);
  } else if (level == log::Level::warning) {
    log::warning(message);
  } else {
    log::error(message);
  }
}

void LogLines::info(std::string_view message, std::source_location where) const {
  write(log::Level::info, "INFO", message, where);
}
void LogLines::warning(std::string_view message, std::source_location where) const {
  write(log::Level::warning, "WARNING", message, where);
}
void LogLines::error(std::string_view message, std::source_location where) const {
  write(log::Level::error, "ERROR", message, where);
}

}  // namespace vdk::run

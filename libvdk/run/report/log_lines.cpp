// SPDX-License-Identifier: Apache-2.0
#include "run/report/log_lines.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <ctime>

#include "run/report/json_text.hpp"
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

std::string_view level_name(log::Level level) noexcept {
  switch (level) {
    case log::Level::debug:
      return "DEBUG";
    case log::Level::info:
      return "INFO";
    case log::Level::warning:
      return "WARNING";
    case log::Level::error:
      return "ERROR";
    case log::Level::critical:
      return "CRITICAL";
  }
  return "INFO";
}

LogShape log_shape(const RunRequest& request) noexcept {
  if (request.log_format == LogFormat::json) {
    return LogShape::json;
  }
  return request.collected_logs ? LogShape::collected : LogShape::sentences;
}

std::function<void(log::Level, std::string_view)> listener(Observer& observer) {
  return [&observer](log::Level level, std::string_view message) { observer.log_line(level_name(level), message); };
}

LogLines::LogLines(std::string job, const Ids& ids, LogShape shape, const Clock& clock)
    : m_job(std::move(job)), m_ids(ids), m_shape(shape), m_clock(clock) {}

log::Route LogLines::route(Observer* observer) const {
  log::Route route;
  if (m_shape == LogShape::json) {
    route.format = [this](log::Level level, std::string_view message) {
      return json_line(level_name(level), message, nullptr);
    };
  }
  if (observer != nullptr) {
    route.listen = listener(*observer);
  }
  return route;
}

std::string LogLines::set_step(std::string step) const {
  const std::lock_guard lock(m_mutex);
  m_step.swap(step);
  return step;
}

std::string LogLines::full_line(std::string_view level, std::string_view message,
                                const std::source_location& where) const {
  std::string line = timestamp(m_clock.now()) + " [VDK] " + m_job + " [" + fit(level, 5) + "] ";
  line += fit("vdk.run", 30) + " " + fit(base_name(where.file_name()), 20, true) + ":";
  line += fit(std::to_string(where.line()), 4) + " " + fit(function_name(where.function_name()), 16);
  return line + "[id:" + m_ids.attempt_id + "]- " + std::string(message);
}

std::string LogLines::json_line(std::string_view level, std::string_view message, const std::source_location* where,
                                const std::string& result) const {
  using Json = nlohmann::ordered_json;
  const std::lock_guard lock(m_mutex);
  Json line{{"timestamp", format_time_millis(m_clock.now())},
            {"level", level},
            {"logger", where == nullptr ? "vdk" : "vdk.run"},
            {"message", message},
            {"job_name", text_or_null(m_job)},
            {"execution_id", text_or_null(m_ids.execution_id)},
            {"attempt_id", text_or_null(m_ids.attempt_id)},
            {"op_id", text_or_null(m_ids.op_id)},
            {"step", text_or_null(m_step)},
            {"file", where == nullptr ? Json(nullptr) : Json(base_name(where->file_name()))},
            {"line", where == nullptr ? Json(nullptr) : Json(where->line())},
            {"func", where == nullptr ? Json(nullptr) : Json(function_name(where->function_name()))},
            {"exception", nullptr}};
  if (!result.empty()) {
    line["result"] = Json::parse(result);
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void LogLines::write(log::Level level, std::string_view message, const std::source_location& where,
                     const std::string& result) const {
  if (m_shape == LogShape::json) {
    log::line(level, message, json_line(level_name(level), message, &where, result));
  } else if (m_shape == LogShape::collected) {
    log::line(level, message, full_line(level_name(level), message, where));
  } else if (level == log::Level::info) {
    log::info(message);
  } else if (level == log::Level::warning) {
    log::warning(message);
  } else {
    log::error(message);
  }
}

void LogLines::info(std::string_view message, std::source_location where) const {
  write(log::Level::info, message, where);
}
void LogLines::warning(std::string_view message, std::source_location where) const {
  write(log::Level::warning, message, where);
}
void LogLines::error(std::string_view message, std::source_location where) const {
  write(log::Level::error, message, where);
}
void LogLines::result(log::Level level, std::string_view message, const std::string& full_result,
                      std::source_location where) const {
  write(level, message, where, full_result);
}

}  // namespace vdk::run

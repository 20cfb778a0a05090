// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace vdk::log {

namespace {

// The original's shape: the bare sentence, a prefix only for what is not information.
spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("vdk", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");
    made.set_level(spdlog::level::info);
    return made;
  }();
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

Level g_level = Level::info;

}  // namespace

void set_level(Level level) noexcept {
  g_level = level;
  logger().set_level(to_spdlog(level));
}
Level level() noexcept { return g_level; }

namespace {

/// Known by everybody: there is one standard error. It outlives every Routed.
Route& current() {
  static auto* const route = new Route;
  return *route;
}

std::string_view label(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "debug: ";
    case Level::info:
      return "";
    case Level::warning:
      return "warning: ";
    case Level::error:
    case Level::critical:
      return "error: ";
  }
  return "";
}

void say(Level level, std::string_view message) {
  if (level < g_level) {
    return;
  }
  line(level, message, current().format ? current().format(level, message) : std::string(label(level)).append(message));
}

}  // namespace

Routed::Routed(Route route) : m_before(current()) {
  Route& now = current();
  now.format = route.format ? std::move(route.format) : now.format;
  now.write = route.write ? std::move(route.write) : now.write;
  now.listen = route.listen ? std::move(route.listen) : now.listen;
}

Routed::~Routed() { current() = std::move(m_before); }

bool is_formatted() noexcept { return static_cast<bool>(current().format); }

void line(Level level, std::string_view message, const std::string& formed) {
  if (level < g_level) {
    return;
  }
  if (current().listen) {
    current().listen(level, message);
  }
  if (current().write) {
    current().write(formed + "\n");
  } else {
    logger().log(to_spdlog(level), spdlog::string_view_t(formed));
  }
}

void debug(std::string_view message) { say(Level::debug, message); }
void info(std::string_view message) { say(Level::info, message); }
void warning(std::string_view message) { say(Level::warning, message); }
void error(std::string_view message) { say(Level::error, message); }

}  // namespace vdk::log

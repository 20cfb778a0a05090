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

void debug(std::string_view message) { logger().debug("debug: {}", message); }
void info(std::string_view message) { logger().info("{}", message); }
void warning(std::string_view message) { logger().warn("warning: {}", message); }
void error(std::string_view message) { logger().error("error: {}", message); }

}  // namespace vdk::log

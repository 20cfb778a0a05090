// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/log_format.hpp"

#include <memory>
#include <optional>

#include "run/report/log_lines.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

std::optional<LogFormat> format_named(const std::string& name) {
  if (name == "json") {
    return LogFormat::json;
  }
  return name == "text" || name == "console" ? std::optional(LogFormat::text) : std::nullopt;
}

[[noreturn]] void refuse(ErrorKind kind, const std::string& where, const std::string& value) {
  throw Error(kind, {"cannot use the log format '" + value + "' of " + where, "there are text and json",
                     "nothing was run", "Give one of them"});
}

}  // namespace

LogFormat choose_log_format(const std::string& given, const config::Settings& settings) {
  if (!given.empty()) {
    const auto format = format_named(text::lower(given));
    return format ? *format : (refuse(ErrorKind::usage, "--log-format", given), LogFormat::text);
  }
  for (const char* name : {"log_format", "logging_format"}) {
    const std::string value = text::lower(settings.get(name));
    if (value.empty()) {
      continue;
    }
    if (const auto format = format_named(value)) {
      return *format;
    }
    if (value == "ltsv") {
      log::warning(std::string(name) + " = LTSV is not supported: log lines are text");
      return LogFormat::text;
    }
    refuse(ErrorKind::configuration, std::string(name) + " (" + settings.explain(name).source + ")", value);
  }
  return LogFormat::text;
}

log::Route json_log(const std::string& job, const Ids& ids, const Clock& clock) {
  struct Owner {
    Owner(const std::string& job, Ids the_ids, const Clock& clock)
        : ids(std::move(the_ids)), lines(job, ids, LogShape::json, clock) {}
    Ids ids;
    LogLines lines;
  };
  const auto owner = std::make_shared<Owner>(job, ids, clock);
  log::Route route;
  route.format = [owner](log::Level level, std::string_view message) {
    return owner->lines.json_line(level_name(level), message, nullptr);
  };
  return route;
}

void apply_log_level(const config::Settings& settings) {
  const config::Resolved level = settings.explain("log_level_vdk");
  if (level.origin == config::Origin::default_value) {
    return;
  }
  for (const log::Level known :
       {log::Level::debug, log::Level::info, log::Level::warning, log::Level::error, log::Level::critical}) {
    if (text::upper(level.value) == level_name(known)) {
      log::set_level(known);
      return;
    }
  }
  throw Error(ErrorKind::configuration,
              {"cannot use the log level '" + level.value + "' of log_level_vdk (" + level.source + ")",
               "there are DEBUG, INFO, WARNING, ERROR and CRITICAL", "nothing was run", "Give one of them"});
}

}  // namespace vdk::run

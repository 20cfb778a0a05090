// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "plugin/macros/go_time.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/plugin_job.hpp"

namespace vdk::plugin {
namespace {

using namespace std::chrono;

struct Span {
  microseconds time{0};
  int months = 0;
};

[[noreturn]] void refuse(const std::string& key, const std::string& value, const std::string& examples) {
  throw Error(ErrorKind::configuration, {"cannot use the window of job.yaml", "'" + value + "' is no " + key,
                                         "the job was not started", "write for example " + examples});
}

/// Go's durations, and whole days (d), weeks (w) and months (M).
Span parse_span(const std::string& key, const std::string& value) {
  const bool negative = value.starts_with('-');
  const std::string digits = negative ? value.substr(1) : value;
  const char unit = digits.empty() ? ' ' : digits.back();
  if (unit == 'd' || unit == 'w' || unit == 'M') {
    constexpr long long most = 10'000;
    const auto count = text::parse_int(digits.substr(0, digits.size() - 1));
    if (!count || *count < 0 || *count > most) {
      refuse(key, value, "24h, 1d, 1w or 1M");
    }
    const int signed_count = static_cast<int>(negative ? -*count : *count);
    if (unit == 'M') {
      return {microseconds(0), signed_count};
    }
    return {days(signed_count * (unit == 'w' ? 7 : 1)), 0};
  }
  const auto time = value.empty() ? microseconds(0) : go_time::parse_duration(value);
  if (!time) {
    refuse(key, value, "24h, 1d, 1w or 1M");
  }
  return {*time, 0};
}

TimePoint add(TimePoint time, const Span& span, int sign) {
  if (span.months != 0) {
    const auto day = floor<days>(time);
    year_month_day date(day);
    date += months(sign * span.months);
    if (!date.ok()) {
      date = date.year() / date.month() / last;  // 31 January plus a month
    }
    time = TimePoint(sys_days(date)) + (time - day);
  }
  return time + sign * span.time;
}

TimePoint truncate(TimePoint time, const std::string& to) {
  const auto day = floor<days>(time);
  if (to.empty()) {
    return time;
  }
  if (to == "h") {
    return floor<hours>(time);
  }
  if (to == "d") {
    return day;
  }
  if (to == "w") {
    return day - (weekday(day) - Monday);
  }
  if (to == "M") {
    const year_month_day date(day);
    return sys_days(date.year() / date.month() / 1);
  }
  refuse("truncate_to", to, "h, d, w or M");
}

}  // namespace

Interval interval(const Window& window, TimePoint scheduled) {
  const Span size = parse_span("size", window.size);
  const TimePoint end = add(truncate(scheduled, window.truncate_to), parse_span("offset", window.offset), 1);
  const TimePoint start = add(end, size, -1);
  if (start > end) {
    refuse("size of a window", window.size, "24h");
  }
  return {start, end};
}

}  // namespace vdk::plugin

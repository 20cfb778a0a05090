// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/clock.hpp"

#include <fmt/format.h>

#include "vdk/core/text.hpp"

namespace vdk {

TimePoint SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

TimePoint from_unix_micros(long long micros) noexcept { return TimePoint{std::chrono::microseconds{micros}}; }
long long to_unix_micros(TimePoint t) noexcept { return t.time_since_epoch().count(); }

std::string format_time(TimePoint t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{floor<microseconds>(t - day)};
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                time.hours().count(), time.minutes().count(), time.seconds().count());
  if (time.subseconds().count() != 0) {
    out += fmt::format(".{:06}", time.subseconds().count());
  }
  return out + "+00:00";
}

namespace {

std::optional<int> digits(std::string_view s, std::size_t at, std::size_t count) {
  if (at + count > s.size()) {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (s[i] < '0' || s[i] > '9') {
      return std::nullopt;
    }
    value = value * 10 + (s[i] - '0');
  }
  return value;
}

}  // namespace

std::string format_time_millis(TimePoint t) {
  const long long millis = to_unix_micros(t) / 1000;
  const std::string seconds = format_time(from_unix_micros(millis / 1000 * 1'000'000));
  return fmt::format("{}.{:03}Z", seconds.substr(0, seconds.find('+')), millis % 1000);
}

std::optional<TimePoint> parse_time(std::string_view s) {
  using namespace std::chrono;
  constexpr std::size_t k_seconds_end = 19;  // YYYY-MM-DDTHH:MM:SS
  if (s.size() <= k_seconds_end || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != ' ') || s[13] != ':' ||
      s[16] != ':') {
    return std::nullopt;
  }
  const auto year_number = digits(s, 0, 4);
  const auto month_number = digits(s, 5, 2);
  const auto day_number = digits(s, 8, 2);
  const auto hour = digits(s, 11, 2);
  const auto minute = digits(s, 14, 2);
  const auto second = digits(s, 17, 2);
  if (!year_number || !month_number || !day_number || !hour || !minute || !second) {
    return std::nullopt;
  }
  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  s.remove_prefix(k_seconds_end);
  long long micros = 0;
  if (s.starts_with('.')) {
    s.remove_prefix(1);
    long long unit = 100'000;
    while (!s.empty() && s.front() >= '0' && s.front() <= '9') {
      micros += (s.front() - '0') * unit;
      unit /= 10;
      s.remove_prefix(1);
    }
  }
  if (s != "Z" && s != "+00:00") {
    return std::nullopt;
  }
  return TimePoint{sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second} + microseconds{micros};
}

}  // namespace vdk

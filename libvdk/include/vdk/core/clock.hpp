// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vdk {

/// Microseconds since 1970-01-01T00:00:00Z; the one time type of the library.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The time, passed in wherever it decides something so that tests can hold it.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
};

/// 2021-09-24T14:14:03.922000+00:00 - Python's isoformat in UTC, as the original's JSON has it.
/// The fraction is left out when it is zero, as Python does.
[[nodiscard]] std::string format_time(TimePoint t);
/// 2021-09-24T14:14:03.922Z - RFC 3339 with milliseconds, for machines that read our lines.
[[nodiscard]] std::string format_time_millis(TimePoint t);
/// Reads what format_time writes, also with `Z`; nothing when it is not a time.
[[nodiscard]] std::optional<TimePoint> parse_time(std::string_view s);
[[nodiscard]] TimePoint from_unix_micros(long long micros) noexcept;
[[nodiscard]] long long to_unix_micros(TimePoint t) noexcept;

}  // namespace vdk

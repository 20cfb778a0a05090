// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/clock.hpp"

namespace vdk {

/// A five-field UNIX cron expression in UTC: minute hour day-of-month month day-of-week; lists, ranges, steps, names
/// (JAN, MON), 0 and 7 are Sunday, `@hourly` and its like. When both day fields are restricted, either may match.
class Cron {
 public:
  /// Throws Error(configuration) whose location points at the field at fault (file empty, text = the expression).
  [[nodiscard]] static Cron parse(std::string_view expression);
  /// First time strictly after `t`; nothing when there is none within 8 years (30 February).
  [[nodiscard]] std::optional<TimePoint> next(TimePoint t) const;
  /// Latest time in (after, until]; nothing when none.
  [[nodiscard]] std::optional<TimePoint> last_between(TimePoint after, TimePoint until) const;

 private:
  std::uint64_t m_minutes = 0;
  std::uint32_t m_hours = 0;
  std::uint32_t m_days = 0;
  std::uint32_t m_months = 0;
  std::uint32_t m_weekdays = 0;
  bool m_any_day = true;
  bool m_any_weekday = true;
};

}  // namespace vdk

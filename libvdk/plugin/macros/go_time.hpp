// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "vdk/core/clock.hpp"

/// Times as Go writes them: a layout shows how Monday, 2 January 2006, 15:04:05 would look. UTC only.
namespace vdk::plugin::go_time {

[[nodiscard]] std::string format(std::string_view layout, TimePoint time);
/// Nothing when the text does not fit the layout.
[[nodiscard]] std::optional<TimePoint> parse(std::string_view layout, std::string_view text);
/// "-36h", "1h30m", "500ms"; nothing when it is no duration.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(std::string_view text);
/// 2026-02-03T04:05:06Z
[[nodiscard]] std::string rfc3339(TimePoint time);

}  // namespace vdk::plugin::go_time

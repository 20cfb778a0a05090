// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/clock.hpp"

#include <doctest/doctest.h>

using namespace vdk;

TEST_CASE("times print as Python's isoformat in UTC and read back") {
  const TimePoint t = from_unix_micros(1'632'492'843'922'000);
  CHECK(format_time(t) == "2021-09-24T14:14:03.922000+00:00");
  CHECK(parse_time(format_time(t)) == t);
  CHECK(format_time(from_unix_micros(0)) == "1970-01-01T00:00:00+00:00");
  CHECK(parse_time("2024-02-29T00:00:00Z") == from_unix_micros(1'709'164'800'000'000));
  CHECK(format_time(from_unix_micros(-1)) == "1969-12-31T23:59:59.999999+00:00");
}

TEST_CASE("what is no time is refused") {
  for (const char* bad : {"", "2024-02-30T00:00:00Z", "2024-01-01", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00+01:00",
                          "2024-01-01T00:00:00"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time(bad).has_value());
  }
}

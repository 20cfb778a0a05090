// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/cron.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "vdk/core/error.hpp"

namespace {

using vdk::Cron;
using vdk::format_time;
using vdk::parse_time;

vdk::Error error_of(const std::string& expression) {
  try {
    (void)Cron::parse(expression);
  } catch (const vdk::Error& error) {
    return error;
  }
  FAIL("no error was thrown");
  throw std::logic_error("unreachable");
}

std::string next(const char* expression, const char* from) {
  const auto time = Cron::parse(expression).next(*parse_time(from));
  return time ? format_time(*time) : "never";
}

std::string last(const char* expression, const char* after, const char* until) {
  const auto time = Cron::parse(expression).last_between(*parse_time(after), *parse_time(until));
  return time ? format_time(*time) : "none";
}

struct Fault {
  std::size_t column;
  std::size_t length;
  std::string why;
};

Fault fault(const std::string& expression) {
  const vdk::Error error = error_of(expression);
  CHECK(error.kind() == vdk::ErrorKind::configuration);
  REQUIRE(error.location());
  CHECK(error.location()->text == expression);
  return {error.location()->column, error.location()->length, error.text().why};
}

TEST_CASE("the next time is strictly later and has whole minutes") {
  CHECK(next("* * * * *", "2024-01-01T00:00:00Z") == "2024-01-01T00:01:00+00:00");
  CHECK(next("* * * * *", "2024-01-01T00:00:59.999999Z") == "2024-01-01T00:01:00+00:00");
  CHECK(next("30 2 * * *", "2024-01-01T02:30:00Z") == "2024-01-02T02:30:00+00:00");
  CHECK(next("*/15 9-17 * * MON-FRI", "2024-01-05T17:45:00Z") == "2024-01-08T09:00:00+00:00");
  CHECK(next("5,10 0 1 JAN,jul *", "2024-01-01T00:10:00Z") == "2024-07-01T00:05:00+00:00");
  CHECK(next("10/20 * * * *", "2024-01-01T00:31:00Z") == "2024-01-01T00:50:00+00:00");
}

TEST_CASE("leap days and ends of months are found, days that never come are not") {
  CHECK(next("0 0 29 2 *", "2024-02-29T00:00:00Z") == "2028-02-29T00:00:00+00:00");
  CHECK(next("0 0 29 2 *", "2096-03-01T00:00:00Z") == "2104-02-29T00:00:00+00:00");
  CHECK(next("0 0 31 * *", "2024-01-31T00:00:00Z") == "2024-03-31T00:00:00+00:00");
  CHECK(next("59 23 31 12 *", "2024-12-31T23:58:30Z") == "2024-12-31T23:59:00+00:00");
  CHECK(next("0 0 30 2 *", "2024-01-01T00:00:00Z") == "never");
}

TEST_CASE("with both day fields restricted either one matches") {
  CHECK(next("0 0 13 * 5", "2024-09-01T00:00:00Z") == "2024-09-06T00:00:00+00:00");
  CHECK(next("0 0 13 * 5", "2024-09-06T00:00:00Z") == "2024-09-13T00:00:00+00:00");
  CHECK(next("0 0 15 * 5", "2024-09-13T00:00:00Z") == "2024-09-15T00:00:00+00:00");
  CHECK(next("0 0 13 * *", "2024-09-01T00:00:00Z") == "2024-09-13T00:00:00+00:00");
}

TEST_CASE("Sunday is 0 and 7 and SUN") {
  for (const char* sunday : {"0", "7", "SUN", "sat-sun", "5-7"}) {
    CHECK(next((std::string("0 12 * * ") + sunday).c_str(), "2024-09-07T13:00:00Z") == "2024-09-08T12:00:00+00:00");
  }
}

TEST_CASE("macros stand for their expressions") {
  CHECK(next("@hourly", "2024-01-01T00:00:00Z") == "2024-01-01T01:00:00+00:00");
  CHECK(next("@weekly", "2024-09-04T00:00:00Z") == "2024-09-08T00:00:00+00:00");
  CHECK(next("@Yearly", "2024-01-01T00:00:00Z") == "2025-01-01T00:00:00+00:00");
  CHECK(fault("@reboot").column == 1);
}

TEST_CASE("the last time lies in the half-open interval") {
  CHECK(last("0 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T05:30:00Z") == "2024-01-01T05:00:00+00:00");
  CHECK(last("0 * * * *", "2024-01-01T05:00:00Z", "2024-01-01T05:30:00Z") == "none");
  CHECK(last("0 * * * *", "2024-01-01T04:59:59Z", "2024-01-01T05:00:00Z") == "2024-01-01T05:00:00+00:00");
  CHECK(last("0 0 29 2 *", "2020-01-01T00:00:00Z", "2023-12-31T00:00:00Z") == "2020-02-29T00:00:00+00:00");
}

TEST_CASE("the last time agrees with walking forward") {
  const Cron cron = Cron::parse("7-50/11 */5 1,15,31 * 2");
  const auto after = *parse_time("2024-01-30T03:00:00Z");
  for (int hour = 0; hour < 24 * 40; ++hour) {
    const auto until = after + std::chrono::hours(hour) + std::chrono::minutes(hour % 60);
    std::optional<vdk::TimePoint> expected;
    for (auto t = cron.next(after); t && *t <= until; t = cron.next(*t)) {
      expected = t;
    }
    REQUIRE((cron.last_between(after, until) == expected));
  }
}

TEST_CASE("an error names the field and points at it") {
  const Fault minute = fault("61 * * * *");
  CHECK(minute.column == 1);
  CHECK(minute.length == 2);
  CHECK(minute.why == "field 1 (minute): 61 is not between 0 and 59");
  const Fault item = fault("0 1,25,3 * * *");
  CHECK(item.column == 5);
  CHECK(item.length == 2);
  CHECK(fault("0 0 * FOO *").why == "field 4 (month): 'FOO' is not a number or a name such as FEB");
  CHECK(fault("0 0 * * 8").column == 9);
  CHECK(fault("0 0 5-2 * *").why == "field 3 (day-of-month): the range '5-2' runs backwards");
  CHECK(fault("*/0 * * * *").column == 3);
  CHECK(fault("0 0 0 * *").column == 5);
  CHECK(fault("0,,1 * * * *").why == "field 1 (minute): the list '0,,1' has an empty item");
  CHECK(fault("0 0 * *").why == "it has 4 fields, a schedule has five; the field day-of-week is missing");
  CHECK(fault("0 0 * * * 2024").column == 11);
  CHECK(fault("99999999999999999999 * * * *").column == 1);
  CHECK(fault("-1 * * * *").column == 1);
  CHECK(fault("").why == "the expression is empty");
}

}  // namespace

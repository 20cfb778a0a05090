// SPDX-License-Identifier: Apache-2.0
#include "run/report/log_lines.hpp"

#include <doctest/doctest.h>

namespace vdk::run {

namespace {
class FixedClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return from_unix_micros(1'600'000'000'007'000); }
};
}  // namespace

TEST_CASE("a collected line has the original's columns") {
  const FixedClock clock;
  const Ids ids{"attempt-1", "execution", "op"};
  const LogLines lines("my-job", ids, LogShape::collected, clock);
  const std::string line = lines.full_line("WARNING", "hello", std::source_location::current());
  CHECK(line.starts_with("2020-09-13 12:26:40,007 [VDK] my-job [WARNI] vdk.run                        "));
  CHECK(line.find("  log_lines_test.cpp:") != std::string::npos);
  CHECK(line.ends_with("[id:attempt-1]- hello"));
}

}  // namespace vdk::run

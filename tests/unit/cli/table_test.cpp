// SPDX-License-Identifier: Apache-2.0
#include "cli/view/table.hpp"

#include <doctest/doctest.h>

using vdk::cli::grid_table;
using vdk::cli::Json;
using vdk::cli::key_value_table;

TEST_CASE("a grid looks as the original prints it") {
  const Json rows = Json::parse(R"([
    {"job_name": "some-job", "job_team": "t", "status": "ENABLED", "schedule_cron": "* * * * *"},
    {"job_name": "zother-job", "job_team": "t", "status": "NOT_DEPLOYED"}])");
  CHECK(grid_table(rows) ==
        "╒════════════╤════════════╤══════════════╤═════════════════╕\n"
        "│ job_name   │ job_team   │ status       │ schedule_cron   │\n"
        "╞════════════╪════════════╪══════════════╪═════════════════╡\n"
        "│ some-job   │ t          │ ENABLED      │ * * * * *       │\n"
        "├────────────┼────────────┼──────────────┼─────────────────┤\n"
        "│ zother-job │ t          │ NOT_DEPLOYED │                 │\n"
        "╘════════════╧════════════╧══════════════╧═════════════════╛\n");
}

TEST_CASE("numbers stand right, keep their text, and wide characters count two columns") {
  const std::string table = grid_table(Json::parse(R"([{"v": "3.10", "w": "日本語"}, {"v": "3.9", "w": "abcdef"}])"));
  CHECK(table ==
        "╒══════╤════════╕\n"
        "│    v │ w      │\n"
        "╞══════╪════════╡\n"
        "│ 3.10 │ 日本語 │\n"
        "├──────┼────────┤\n"
        "│ 3.9  │ abcdef │\n"
        "╘══════╧════════╛\n");
}

TEST_CASE("keys and values stand in two columns") {
  CHECK(key_value_table(Json::parse(R"({"a": 1, "b": "x"})")) ==
        "key    value\n"
        "-----  -------\n"
        "a      1\n"
        "b      x\n");
}

TEST_CASE("nothing to show says so") {
  CHECK(grid_table(Json::array()) == "No Data.\n");
  CHECK(key_value_table(Json::object()) == "No Data.\n");
}

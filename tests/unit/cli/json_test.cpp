// SPDX-License-Identifier: Apache-2.0
#include "cli/view/json.hpp"

#include <doctest/doctest.h>

#include "cli/view/records.hpp"

using vdk::cli::dump_json;
using vdk::cli::Json;

TEST_CASE("JSON is written as Python's json.dumps does") {
  Json value;
  value["b"] = 1;
  value["a"] = {true, nullptr, "caf\xc3\xa9 \xf0\x9f\x98\x80", 1.5};
  value["empty"] = Json::object();
  CHECK(dump_json(value) == R"({"b": 1, "a": [true, null, "caf\u00e9 \ud83d\ude00", 1.5], "empty": {}})");
  CHECK(dump_json(Json::array()) == "[]");
  CHECK(dump_json({{"a \"quoted\" \\ key\n", "tab\t, \x7f and half \xc3"}, {"plain", "text"}}) ==
        R"({"a \"quoted\" \\ key\n": "tab\t, \u007f and half \ufffd", "plain": "text"})");
}

TEST_CASE("table cells read as Python prints them") {
  CHECK(vdk::cli::python_text("plain") == "plain");
  CHECK(vdk::cli::python_text(true) == "True");
  CHECK(vdk::cli::python_text(Json::parse(R"({"a": [1, null, "it's"], "b": "x"})")) ==
        R"({'a': [1, None, "it's"], 'b': 'x'})");
}

TEST_CASE("an error is one object with its four parts, place and exit code") {
  const vdk::Error error(vdk::ErrorKind::not_found, {"W", "Y", "C", "M"},
                         vdk::SourceLocation{.file = "config.ini", .line = 3, .column = 2, .text = "x"});
  CHECK(dump_json(vdk::cli::error_to_json(error)) ==
        R"({"error": {"kind": "not_found", "what": "W", "why": "Y", "consequences": "C", "countermeasures": "M", )"
        R"("location": {"file": "config.ini", "line": 3, "column": 2, "text": "x"}, "exit_code": 5}})");
}

TEST_CASE("invalid JSON from a person is a usage error") {
  CHECK_THROWS_AS((void)vdk::cli::parse_json("{", "cannot read it", "the value"), vdk::Error);
}

TEST_CASE("rows keep the original's keys in their order") {
  vdk::control::Deployment deployment;
  deployment.job_name = "hello-job";
  deployment.job_version = "abc";
  deployment.python_version = "3.10";
  deployment.last_deployed_by = "me";
  deployment.last_deployed_date = vdk::from_unix_micros(0);
  CHECK(dump_json(vdk::cli::deployment_row(deployment)) ==
        R"({"job_name": "hello-job", "job_version": "abc", "last_deployed_by": "me", )"
        R"("last_deployed_date": "1970-01-01T00:00:00+00:00", "python_version": "3.10", "enabled": true})");
  CHECK(dump_json(vdk::cli::deployed_row(deployment)) ==
        R"({"job_name": "hello-job", "job_version": "abc", "python_version": "3.10"})");
  vdk::control::JobOverview overview;
  overview.job.job_name = "some-job";
  overview.job.team = "t";
  overview.job.schedule_cron = "* * * * *";
  CHECK(dump_json(vdk::cli::list_row(overview, 1)) ==
        R"({"job_name": "some-job", "job_team": "t", "status": "NOT_DEPLOYED"})");
  deployment.schedule_cron = "* * * * *";
  overview.deployment = deployment;
  CHECK(dump_json(vdk::cli::list_row(overview, 0)) ==
        R"({"job_name": "some-job", "job_team": "t", "status": "ENABLED", "schedule_cron": "* * * * *"})");
}

// SPDX-License-Identifier: Apache-2.0
#include "run/sql/script.hpp"

#include "run/fixture.hpp"

namespace vdk::run {

TEST_CASE("substitution replaces known names once and leaves the rest") {
  const Values values{{"a", "{b}"}, {"b", "2"}, {"with space", "x"}};
  CHECK(substitute("{a} {b} {c} {with space}", values) == "{b} 2 {c} x");
  CHECK(substitute("{{b}} {", values) == "{2} {");
  CHECK(substitute("", values).empty());
  CHECK(substitute("{B}", values) == "{B}");
}

TEST_CASE("only a line that is nothing but [name] chooses a database") {
  const SqlText text = split_databases("[first]\nselect 1;\n[a b], c\n[second]  \r\n");
  CHECK(text.databases == std::vector<std::string>{"first", "second"});
  CHECK(text.sql == "\nselect 1;\n[a b], c\n\n");
}

TEST_CASE("several statements in one file run, also with semicolons in texts and triggers") {
  JobFixture job;
  job.add("10_a.sql",
          "create table t (x text, n integer); -- a ; in a comment\n"
          "insert into t values ('a;b', 1);\n"
          "create trigger g after insert on t begin update t set n = n + 1; end;\n"
          "insert into t values ('c', 10);\n");
  CHECK(job.run().success);
  CHECK(job.query("select group_concat(x || n, ',') from t") == "a;b2,c11");
}

TEST_CASE("a failing statement is named with file and line, and the ones before stay") {
  JobFixture job;
  job.add("10_a.sql", "create table t (x);\n\n-- note\ninsert into t values (1);\nselect absent\n  from t;\n");
  const RunResult result = job.run();
  CHECK_FALSE(result.success);
  CHECK(result.exit_code == 1);
  CHECK(result.blamee == Blamee::user);
  CHECK(result.termination_status == "User error");
  REQUIRE(result.steps.size() == 1);
  CHECK(result.steps[0].details.find("at line 5 of") != std::string::npos);
  CHECK(result.steps[0].details.find("no such column: absent") != std::string::npos);
  CHECK(job.query("select count(*) from t") == "1");
}

TEST_CASE("a blank SQL file is the user's error") {
  JobFixture job;
  job.add("10_a.sql", " \n\n");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::user);
  CHECK(result.details.find("holds no SQL statement") != std::string::npos);
}

TEST_CASE("arguments win over execution properties, those over properties, with Python's texts") {
  JobFixture job;
  TestStore store;
  store.content = R"({"a": "property", "b": true, "c": {"k": [1, 2.0, null]}})";
  job.properties = &store;
  job.add("10_a.sql", "create table t as select '{a}' a, '{b}' b, \"{c}\" c, '{pa__execution_id}' e, '{unknown}' u;");
  job.environment["VDK_EXECUTION_ID"] = "run-1";
  REQUIRE(job.run(R"({"a": "argument"})").success);
  CHECK(job.query("select a from t") == "argument");
  CHECK(job.query("select b from t") == "True");
  CHECK(job.query("select c from t") == "{'k': [1, 2.0, None]}");
  CHECK(job.query("select e from t") == "run-1");
  CHECK(job.query("select u from t") == "{unknown}");
}

TEST_CASE("an unknown database type is a configuration error that counts for the platform") {
  JobFixture job;
  job.add("10_a.sql", "select 1");
  job.environment["VDK_DB_DEFAULT_TYPE"] = "oracle";
  const RunResult result = job.run();
  CHECK(result.exit_code == 1);
  CHECK(result.blamee == Blamee::configuration);
  CHECK(result.termination_status == "Platform error");
  job.environment["VDK_DB_DEFAULT_TYPE"] = "SQLite";
  CHECK(job.run().success);
}

TEST_CASE("sections of config.ini are databases of their own") {
  JobFixture job;
  const std::string second = (job.root() / "second.db").string();
  job.add("config.ini", "[owner]\nteam = t\n[vdk_second]\nsqlite_file = " + second + "\n");
  job.add("10_a.sql", "[second]\n[sqlite]\ncreate table t as select 1 x;");
  REQUIRE(job.run().success);
  CHECK(std::filesystem::exists(second));
  CHECK(job.query("select x from t") == "1");
}

}  // namespace vdk::run

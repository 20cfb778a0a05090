// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <thread>

#include "run/fixture.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {
Ids ids_for(const std::map<std::string, std::string>& environment) {
  config::Settings::Inputs inputs;
  inputs.environment = environment;
  return make_ids(config::Settings(std::move(inputs)), SystemClock());
}
}  // namespace

TEST_CASE("ids are made from each other") {
  const Ids made = ids_for({});
  CHECK(made.attempt_id.starts_with(made.execution_id + "-"));
  CHECK(made.attempt_id.size() == made.execution_id.size() + 6);
  CHECK(made.op_id == made.execution_id);
  const Ids given = ids_for({{"VDK_EXECUTION_ID", "job-1"}, {"VDK_OP_ID", "op"}});
  CHECK(given.execution_id == "job-1");
  CHECK(given.attempt_id.starts_with("job-1-"));
  CHECK(given.op_id == "op");
  CHECK(ids_for({{"VDK_ATTEMPT_ID", "job-2-abc"}}).execution_id == "job-2");
}

TEST_CASE("a successful run writes a summary without blame and the termination file") {
  JobFixture job;
  job.add("10_a.sql", "select 1");
  REQUIRE(job.run().success);
  CHECK(files::read(job.root() / "summary.json") ==
        R"({"steps":[{"name":"10_a.sql","status":"success","blamee":null,"details":null}],)"
        R"("status":"success","blamee":null,"details":null})");
  CHECK(nlohmann::json::parse(files::read(job.root() / "termination.json")).at("status") == "Success");
}

TEST_CASE("an ingestion failure is in the summary file") {
  JobFixture job;
  job.add("10_a.py", "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1}, None)\n");
  job.run();
  const auto summary = nlohmann::json::parse(files::read(job.root() / "summary.json"));
  CHECK(summary.at("status") == "error");
  CHECK(summary.at("blamee") == "User Error");
  CHECK(nlohmann::json::parse(files::read(job.root() / "termination.json")).at("status") == "User error");
}

TEST_CASE("no steps and bad arguments are the user's errors") {
  JobFixture job;
  CHECK(job.run().blamee == Blamee::user);
  job.add("10_a.sql", "select 1");
  const RunResult result = job.run("{not json");
  CHECK(result.blamee == Blamee::user);
  CHECK(result.exit_code == 1);
}

TEST_CASE("a secret overrides a setting of the same name unless the environment has it") {
  JobFixture job;
  TestStore secrets;
  secrets.content = R"({"db_default_type": "oracle"})";
  job.secrets = &secrets;
  job.add("10_a.sql", "select 1");
  CHECK(job.run().blamee == Blamee::configuration);
  job.environment["VDK_DB_DEFAULT_TYPE"] = "sqlite";
  CHECK(job.run().success);
}

TEST_CASE("a secret with the name of a section in front overrides a setting of that section") {
  JobFixture job;
  TestStore secrets;
  secrets.content = R"({"other_sqlite_file": ")" + (job.root() / "secret.db").string() + R"("})";
  job.secrets = &secrets;
  job.add("config.ini", "[vdk_other]\nsqlite_file = /nowhere/at/all.db\n");
  job.add("10_a.sql", "[other]\ncreate table t (a);");
  CHECK(job.run().success);
  CHECK(std::filesystem::exists(job.root() / "secret.db"));
  job.environment["VDK_OTHER_SQLITE_FILE"] = "/nowhere/else.db";
  CHECK_FALSE(job.run().success);
}

TEST_CASE("an interrupted run ends its child and gives 130") {
  JobFixture job;
  job.add("10_a.py", "import time\ndef run(job_input):\n    time.sleep(60)\n");
  const pid_t self = getpid();
  std::thread interrupter([self] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    kill(self, SIGINT);
  });
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = job.run();
  interrupter.join();
  CHECK(result.exit_code == 130);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("statuses and blamees have the original's texts") {
  CHECK(to_string(StepStatus::skip_requested) == "skip_requested");
  CHECK(to_string(Blamee::user) == "User Error");
  CHECK(to_string(Blamee::platform) == "Platform error");
  CHECK(to_string(Blamee::configuration) == "Configuration error");
}

}  // namespace vdk::run

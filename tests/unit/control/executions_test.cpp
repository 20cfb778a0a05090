// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store.hpp"
#include "control/fixture.hpp"

namespace {

using namespace vdk::control;
using namespace std::chrono_literals;
using vdk::control::testing::error_of;
using vdk::control::testing::Fixture;

struct Deployed : Fixture {
  Deployed() { (void)deploy("some-job", "one"); }
  [[nodiscard]] std::string start() const {
    return service->start_execution("team", "some-job", "manual/test", R"({"a":1})");
  }
  [[nodiscard]] Execution get(const std::string& id) const { return service->get_execution("team", "some-job", id); }
};

TEST_CASE("a manual execution is recorded with who, when and what") {
  const Deployed f;
  const std::string id = f.start();
  CHECK(id == "some-job-1700000000");
  const Execution running = f.get(id);
  CHECK(running.status == ExecutionStatus::running);
  CHECK(running.type == ExecutionType::manual);
  CHECK(running.started_by == "manual/test/alice");
  CHECK(running.op_id == "op1");
  CHECK(running.deployment.python_version == "3.11");
  CHECK(running.deployment.job_version == f.service->get_deployment("team", "some-job")->job_version);
  f.clock->time += 5s;
  f.finish(id, "Success");
  const Execution over = f.get(id);
  CHECK(over.status == ExecutionStatus::succeeded);
  CHECK((over.end_time == f.clock->time));
  CHECK(f.service->execution_logs("team", "some-job", id, 0) == "log of " + id);
}

TEST_CASE("a running execution says where it is, not more often than every five seconds") {
  const Deployed f;
  const std::string id = f.start();
  auto& seen = f.runtime->executions[id];
  CHECK(f.get(id).message.empty());
  seen.message = "step 1 of 3: a.sql";
  CHECK(f.get(id).message == "step 1 of 3: a.sql");
  seen.message = "step 2 of 3: b.sql";
  CHECK(f.get(id).message == "step 1 of 3: a.sql");
  f.clock->time += 5s;
  CHECK(f.get(id).message == "step 2 of 3: b.sql");
  CHECK(f.get(id).status == ExecutionStatus::running);
  f.finish(id, "Success");
  CHECK(f.get(id).message.find("step") == std::string::npos);
}

TEST_CASE("one execution at a time, and two in one second have two ids") {
  const Deployed f;
  const std::string first = f.start();
  CHECK(error_of([&] { (void)f.start(); }).kind() == vdk::ErrorKind::conflict);
  f.finish(first, "Success");
  const std::string second = f.start();
  CHECK(second == first + "-2");
  CHECK(f.runtime->starts.size() == 2);
}

TEST_CASE("the target's words become the original's statuses") {
  const Deployed f;
  const std::vector<std::pair<const char*, ExecutionStatus>> cases{{"Success", ExecutionStatus::succeeded},
                                                                   {"User error", ExecutionStatus::user_error},
                                                                   {"Platform error", ExecutionStatus::platform_error},
                                                                   {"Skipped", ExecutionStatus::skipped},
                                                                   {"Cancelled", ExecutionStatus::cancelled},
                                                                   {"nonsense", ExecutionStatus::platform_error}};
  for (const auto& [word, status] : cases) {
    const std::string id = f.start();
    f.finish(id, word, "text");
    CHECK(f.get(id).status == status);
    CHECK(f.get(id).message == "text");
  }
  CHECK(f.service->list_executions("team", "some-job", {ExecutionStatus::skipped}).size() == 1);
  CHECK(f.service->list_executions("team", "some-job", {}).size() == cases.size());
}

TEST_CASE("an execution whose process is gone does not stay running") {
  const Deployed f;
  const std::string id = f.start();
  f.runtime->executions[id].phase = vdk::target::Phase::lost;
  CHECK(f.get(id).status == ExecutionStatus::platform_error);
  const std::string other = f.start();
  (void)f.get(other);
  f.runtime->executions.erase(other);
  CHECK(f.get(other).status == ExecutionStatus::platform_error);
}

TEST_CASE("a reader of the database alone sees a started execution run as soon as it does") {
  const Deployed f;
  f.runtime->looks_until_running = 3;
  const std::string id = f.start();
  Store store(f.options.database, f.home);
  const auto row = store.execution("some-job", id);
  REQUIRE(row);
  CHECK(row->execution.status == ExecutionStatus::running);
}

TEST_CASE("an execution that the target keeps waiting is submitted, and whoever started it does not wait with it") {
  const Deployed f;
  f.runtime->looks_until_running = 1'000'000;
  const auto begin = std::chrono::steady_clock::now();
  const std::string id = f.start();
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK(f.get(id).status == ExecutionStatus::submitted);
}

TEST_CASE("an execution that was stored but never reached the target is started, once") {
  const Deployed f;
  f.runtime->lose_starts = true;
  const std::string id = f.start();
  f.runtime->lose_starts = false;
  CHECK(f.get(id).status == ExecutionStatus::submitted);
  CHECK(f.runtime->starts.empty());
  f.clock->time += 6s;
  (void)f.open()->list_executions("team", "some-job", {});
  CHECK(f.get(id).status == ExecutionStatus::running);
  CHECK(f.runtime->starts[id] == 1);
}

TEST_CASE("an execution that cannot be started in time ends") {
  const Deployed f;
  f.runtime->lose_starts = true;
  const std::string id = f.start();
  f.clock->time += 1801s;
  CHECK(f.get(id).status == ExecutionStatus::platform_error);
}

TEST_CASE("cancelling ends an execution; one that is over stays as it is") {
  const Deployed f;
  const std::string id = f.start();
  f.service->cancel_execution("team", "some-job", id);
  CHECK(f.get(id).status == ExecutionStatus::cancelled);
  CHECK(f.get(id).message == "Job execution cancelled by user.");
  CHECK(error_of([&] { f.service->cancel_execution("team", "some-job", id); }).kind() == vdk::ErrorKind::conflict);
  CHECK(error_of([&] { f.service->cancel_execution("team", "some-job", "x"); }).kind() == vdk::ErrorKind::not_found);
}

TEST_CASE("a job that is not deployed cannot be started; a disabled one can") {
  const Deployed f;
  f.service->create_job(Fixture::job("new-job"));
  CHECK(error_of([&] { (void)f.service->start_execution("team", "new-job", "m", "{}"); }).kind() ==
        vdk::ErrorKind::not_found);
  DeploymentRequest request;
  request.enabled = false;
  (void)f.service->deploy("team", "some-job", request, {});
  CHECK_FALSE(f.start().empty());
}

TEST_CASE("the hundred newest executions are kept, none older than fourteen days") {
  const Deployed f;
  for (int i = 0; i < 105; ++i) {
    f.finish(f.start(), "Success");
    f.clock->time += 1s;
  }
  CHECK(f.service->list_executions("team", "some-job", {}).size() <= 102);
  f.clock->time += 24h * 15;
  (void)f.start();
  CHECK(f.service->list_executions("team", "some-job", {}).size() == 1);
  CHECK(f.runtime->executions.size() == 1);
}

TEST_CASE("list shows deployments and the newest executions of each job") {
  const Deployed f;
  f.service->create_job(Fixture::job("a-first-job"));
  for (int i = 0; i < 3; ++i) {
    f.finish(f.start(), i == 2 ? "User error" : "Success");
    f.clock->time += 1s;
  }
  const auto jobs = f.service->list_jobs("team", 2);
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].job.job_name == "a-first-job");
  CHECK_FALSE(jobs[0].deployment);
  REQUIRE(jobs[1].deployment);
  CHECK(jobs[1].deployment->environment == "env-1");
  REQUIRE(jobs[1].executions.size() == 2);
  CHECK(jobs[1].executions[0].status == ExecutionStatus::user_error);
  CHECK(f.service->list_jobs("nobody", 2).empty());
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/scheduler.hpp"

#include <thread>

#include "control/fixture.hpp"
#include "control/life.hpp"

namespace {

using namespace vdk::control;
using namespace std::chrono_literals;
using vdk::control::testing::error_of;
using vdk::control::testing::FakeTarget;
using vdk::control::testing::Fixture;

using Scheduling = vdk::control::testing::Life<Scheduler>;

struct Scheduled : Fixture {
  Scheduled() { (void)deploy("some-job", "one", "* * * * *"); }
  [[nodiscard]] std::vector<Execution> executions() const { return service->list_executions("team", "some-job", {}); }
  void finish_all() const {
    for (auto& [id, execution] : runtime->executions) {
      execution.phase = vdk::target::Phase::finished;
      execution.termination_status = "Success";
    }
  }
};

TEST_CASE("what is due is started once, with its own id and time") {
  const Scheduled f;
  Scheduling life(f);
  life.task.tick();
  CHECK(f.executions().empty());
  f.clock->time += 41s;  // 22:14:01
  life.task.tick();
  life.task.tick();
  const auto executions = f.executions();
  REQUIRE(executions.size() == 1);
  CHECK(executions[0].id == "some-job-28333334");
  CHECK(executions[0].type == ExecutionType::scheduled);
  CHECK(executions[0].started_by == "scheduled/runtime");
  CHECK((executions[0].scheduled_time == vdk::parse_time("2023-11-14T22:14:00Z")));
}

TEST_CASE("what was started is known to run when the tick ends") {
  const Scheduled f;
  Scheduling life(f);
  life.task.tick();
  f.runtime->looks_until_running = 3;
  f.clock->time += 41s;
  life.task.tick();
  const auto rows = life.store.executions("some-job");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].execution.status == ExecutionStatus::running);
}

TEST_CASE("two servers' schedulers never start one time twice") {
  const Scheduled f;
  Scheduling one(f);
  Scheduling two(f);
  one.task.tick();
  two.task.tick();
  f.clock->time += 41s;
  one.task.tick();
  f.finish_all();
  two.task.tick();
  CHECK(f.executions().size() == 1);
  CHECK(f.runtime->starts.size() == 1);
}

TEST_CASE("while an execution runs one due time waits, the latest") {
  const Scheduled f;
  Scheduling life(f);
  life.task.tick();
  f.clock->time += 41s;
  life.task.tick();
  for (int i = 0; i < 3; ++i) {
    f.clock->time += 60s;
    life.task.tick();
  }
  CHECK(f.executions().size() == 1);
  f.finish_all();
  life.task.tick();
  life.task.tick();
  const auto executions = f.executions();
  REQUIRE(executions.size() == 2);
  CHECK((executions[0].scheduled_time == vdk::parse_time("2023-11-14T22:17:00Z")));
}

TEST_CASE("after downtime at most the latest time is made up for, and only within the deadline") {
  const Scheduled f;
  {
    Scheduling life(f);
    life.task.tick();
  }
  f.clock->time += 10min;
  {
    Scheduling life(f);
    life.task.tick();
    life.task.tick();
    CHECK(f.executions().size() == 1);
  }
  f.finish_all();
  (void)f.deploy("some-job", "one", "25 22 * * *");  // due 85 seconds from now
  f.clock->time += 45min;
  Scheduling life(f);
  life.task.tick();
  CHECK(f.executions().size() == 1);
}

TEST_CASE("a due time that was stored before a crash is started afterwards") {
  const Scheduled f;
  {
    Store store(f.options.database, f.home);
    Store::Write write(store);
    store.put_due({"some-job", f.clock->time - 20s});
    write.commit();
  }
  Scheduling life(f);
  life.task.tick();
  life.task.tick();
  CHECK(f.executions().size() == 1);
}

TEST_CASE("disabled, unscheduled and removed jobs are not started, a new schedule does not look back") {
  const Scheduled f;
  Scheduling life(f);
  life.task.tick();
  DeploymentRequest request;
  request.enabled = false;
  (void)f.service->deploy("team", "some-job", request, {});
  (void)f.deploy("plain-job", "x");
  (void)f.deploy("removed-job", "x", "* * * * *");
  f.service->remove_deployment("team", "removed-job");
  f.clock->time += 5min;
  life.task.tick();
  CHECK(f.runtime->starts.empty());
  (void)f.deploy("later-job", "x", "* * * * *");
  life.task.tick();
  CHECK(f.runtime->starts.empty());
  f.clock->time += 1min;
  life.task.tick();
  CHECK(f.runtime->starts.size() == 1);
}

TEST_CASE("a job that was just disabled is not started, and shown so, before the synchronizer has seen it") {
  const Scheduled f;
  Scheduling life(f);
  life.task.tick();
  DeploymentRequest request;
  request.enabled = false;
  CHECK(f.service->submit_deployment("team", "some-job", request));
  CHECK_FALSE(f.service->get_deployment("team", "some-job")->enabled);
  CHECK_FALSE(f.service->list_jobs("team", 0)[0].deployment->enabled);
  f.clock->time += 41s;
  life.task.tick();
  CHECK(f.executions().empty());
}

TEST_CASE("a home has one server, which says who it is, stops when told and leaves executions running") {
  const Scheduled f;
  if (f.database.is_postgresql()) {
    return;  // several servers share it
  }
  const std::string id = f.service->start_execution("team", "some-job", "manual/test", "{}");
  std::atomic<bool> stop = false;
  std::atomic<bool> reload = false;
  CHECK_FALSE(server_is_running(f.home));
  std::thread server([&] {
    serve_embedded(
        f.options, [&] { return std::make_unique<FakeTarget>(f.runtime); }, f.clock, stop, reload);
  });
  for (int i = 0; i < 200 && !std::filesystem::exists(f.home / "server.pid"); ++i) {
    std::this_thread::sleep_for(20ms);
  }
  CHECK(server_is_running(f.home));
  const vdk::Error error = error_of([&] {
    serve_embedded(
        f.options, [] { return std::make_unique<FakeTarget>(std::make_shared<vdk::control::testing::Runtime>()); },
        f.clock, stop, reload);
  });
  CHECK(error.kind() == vdk::ErrorKind::conflict);
  CHECK(error.text().why.find(std::to_string(getpid())) != std::string::npos);
  stop = true;
  server.join();
  CHECK_FALSE(server_is_running(f.home));
  CHECK(f.service->get_execution("team", "some-job", id).status == ExecutionStatus::running);
}

}  // namespace

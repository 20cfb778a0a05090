// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/rules.hpp"

#include "control/embedded/synchronizer.hpp"
#include "control/fixture.hpp"
#include "control/life.hpp"

namespace {

using namespace vdk::control;
using namespace std::chrono_literals;
using vdk::control::testing::error_of;
using vdk::control::testing::Fixture;

using Synchronizing = vdk::control::testing::Life<Synchronizer>;

TEST_CASE("a deployment whose Python is not offered any more goes on as it is, and is repaired as it was") {
  Fixture f;
  (void)f.deploy("some-job", "one");
  const auto before = f.runtime->deployments;
  f.options.python->replace({{{"3.10", "/opt/python3.10", "", ""}}, "3.10"});
  Synchronizing other(f);
  CHECK(other.task.pass(true) == 0);
  CHECK(f.runtime->deployments == before);
  f.runtime->deployments.clear();
  CHECK(other.task.pass(true) == 1);
  CHECK(f.runtime->deployments == before);
  CHECK(other.store.actual("some-job")->interpreter == "/usr/bin/python3");
  CHECK(f.deploy("some-job", "two").deployment.python_version == "3.10");
}

TEST_CASE("what ran comes back when the runtime lost it while its successor cannot be rolled out") {
  Fixture f;
  (void)f.deploy("some-job", "one");
  const auto before = f.runtime->deployments;
  f.runtime->bad_requirements = true;
  (void)f.deploy("some-job", "two");
  f.runtime->bad_requirements = false;
  f.runtime->deployments.clear();
  f.runtime->files.clear();
  Synchronizing other(f);
  CHECK(other.task.pass(true) == 1);
  CHECK(f.runtime->deployments == before);
  CHECK(f.runtime->files["some-job"]["10_step.py"] == "one");
  CHECK(f.service->get_deployment("team", "some-job")->status == DeploymentStatus::user_error);
}

TEST_CASE("a deployment that asks for no resources gets the service's, and again when those change") {
  Fixture f;
  f.options.default_resources = {.cpu_limit = 1.0, .memory_limit = 1000};
  f.service = f.open();
  (void)f.deploy("some-job", "one");
  CHECK(f.service->get_deployment("team", "some-job")->resources.memory_limit == 1000);
  DeploymentRequest request;
  request.resources = Resources{.memory_limit = 64};
  CHECK(f.service->deploy("team", "some-job", request, {}).deployment.resources.memory_limit == 64);
  CHECK(f.service->get_deployment("team", "some-job")->resources.cpu_limit == 1.0);
  f.options.default_resources.cpu_limit = 2.0;
  Synchronizing other(f);
  CHECK(other.task.pass(true) == 1);
  CHECK(other.store.actual("some-job")->resources.cpu_limit == 2.0);
  CHECK(other.store.actual("some-job")->resources.memory_limit == 64);
  CHECK(with_defaults(f.options, {.cpu_request = 3.0}).cpu_limit == 3.0);  // never less than what is asked for
}

TEST_CASE("numbers that cannot be resources are refused") {
  CHECK_THROWS_AS(check_resources({.cpu_limit = 0.0}), vdk::Error);
  CHECK_THROWS_AS(check_resources({.cpu_limit = std::numeric_limits<double>::quiet_NaN()}), vdk::Error);
  CHECK_THROWS_AS(check_resources({.cpu_limit = std::numeric_limits<double>::infinity()}), vdk::Error);
  CHECK_THROWS_AS(check_resources({.memory_request = -1}), vdk::Error);
  CHECK_THROWS_AS(check_resources({.cpu_request = 2.0, .cpu_limit = 1.0}), vdk::Error);
  check_resources({.cpu_request = 1.0, .cpu_limit = 1.0, .memory_request = 1, .memory_limit = 2});
}

TEST_CASE("the address of a log is made from the template") {
  Fixture f;
  Execution execution;
  execution.id = "some-job-1";
  execution.job_name = "some-job";
  execution.op_id = "op 1";
  execution.start_time = vdk::from_unix_micros(1'700'000'000'123'000);
  CHECK(logs_url(f.options, execution, "a team").empty());
  f.options.logs_url = "http://l/{team_name}/{job_name}?e={execution_id}&o={op_id}&s={start_time}&t={end_time}&{x}";
  CHECK(logs_url(f.options, execution, "a team") ==
        "http://l/a%20team/some-job?e=some-job-1&o=op%201&s=1700000000123&t=&{x}");
  f.options.logs_url = "{start_time}";
  f.options.logs_url_iso_times = true;
  f.options.logs_url_start_offset = -20s;
  CHECK(logs_url(f.options, execution, "t") == "2023-11-14T22%3A13%3A00.123000%2B00%3A00");
  f.options.logs_url = "http://l/{execution_id}";
  f.service = f.open();
  (void)f.deploy("some-job", "one");
  const std::string id = f.service->start_execution("team", "some-job", "manual/test", "{}");
  CHECK(f.service->get_execution("team", "some-job", id).logs_url == "http://l/" + id);
  CHECK(f.service->list_executions("team", "some-job", {})[0].logs_url == "http://l/" + id);
}

TEST_CASE("who is not logged in is null to executions and nobody to deployments") {
  const Fixture f;
  f.service->act_as({"", "op2"});
  (void)f.deploy("some-job", "one");
  CHECK(f.service->get_deployment("team", "some-job")->last_deployed_by.empty());
  const std::string id = f.service->start_execution("team", "some-job", "manual/vdk-control-cli", "{}");
  const Execution execution = f.service->get_execution("team", "some-job", id);
  CHECK(execution.started_by == "manual/vdk-control-cli/null");
  CHECK(execution.op_id == "op2");
}

TEST_CASE("a job that moves to another team keeps everything and runs for that team") {
  const Fixture f;
  const auto first = f.deploy("some-job", "one").deployment;
  f.service->set_properties("team", "some-job", R"({"a":1})");
  f.finish(f.service->start_execution("team", "some-job", "m", "{}"), "Success");
  f.service->move_job("team", "some-job", "other team");
  CHECK(error_of([&] { (void)f.service->get_job("team", "some-job"); }).kind() == vdk::ErrorKind::not_found);
  CHECK(f.service->get_properties("other team", "some-job") == R"({"a":1})");
  CHECK(f.service->list_executions("other team", "some-job", {}).size() == 1);
  Synchronizing other(f);
  CHECK(other.task.pass(false) == 1);
  const auto moved = f.service->get_deployment("other team", "some-job");
  CHECK(moved->job_version == first.job_version);
  CHECK((moved->last_deployed_date == first.last_deployed_date));
  CHECK(moved->status == DeploymentStatus::success);
  CHECK(f.runtime->deployments["some-job"] != first.version_hash);
  CHECK(error_of([&] { f.service->move_job("other team", "some-job", " "); }).kind() == vdk::ErrorKind::usage);
  CHECK(error_of([&] { f.service->move_job("team", "some-job", "x"); }).kind() == vdk::ErrorKind::not_found);
}

}  // namespace

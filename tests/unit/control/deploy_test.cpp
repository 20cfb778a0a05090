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

TEST_CASE("a first deployment runs what was uploaded and says who did it and with what") {
  const Fixture f;
  const DeployOutcome outcome = f.deploy("some-job", "one", "0 * * * *");
  CHECK(outcome.changed);
  const auto deployment = f.open()->get_deployment("team", "some-job");
  REQUIRE(deployment);
  CHECK(deployment->status == DeploymentStatus::success);
  CHECK(deployment->python_version == "3.11");
  CHECK(deployment->interpreter == "/usr/bin/python3");
  CHECK(deployment->schedule_cron == "0 * * * *");
  CHECK(deployment->enabled);
  CHECK(deployment->last_deployed_by == "alice");
  CHECK((deployment->last_deployed_date == f.clock->time));
  CHECK(deployment->resolved_requirements == std::vector<std::string>{"pandas==2.0.0"});
  CHECK(f.runtime->files["some-job"]["10_step.py"] == "one");
  CHECK(f.runtime->files["some-job"]["lib/helper.txt"] == "helper of some-job");
}

TEST_CASE("an unchanged redeploy keeps version and date and does not touch the target") {
  const Fixture f;
  const auto first = f.deploy("some-job", "one").deployment;
  f.clock->time += 1h;
  const DeployOutcome again = f.deploy("some-job", "one");
  CHECK_FALSE(again.changed);
  CHECK(again.deployment.job_version == first.job_version);
  CHECK((again.deployment.last_deployed_date == first.last_deployed_date));
  CHECK(f.runtime->applies == 1);
  CHECK(f.deploy("some-job", "one", "5 * * * *").changed);
  f.runtime->deployments.clear();
  CHECK(f.deploy("some-job", "one", "5 * * * *").changed);
  CHECK(f.runtime->deployments.count("some-job") == 1);
}

TEST_CASE("an absent enabled keeps the state, also of a first deployment that was disabled") {
  const Fixture f;
  f.service->create_job(Fixture::job("some-job"));
  (void)f.upload("some-job", "one");
  DeploymentRequest request;
  request.enabled = false;
  CHECK_FALSE(f.service->deploy("team", "some-job", request, {}).deployment.enabled);
  CHECK_FALSE(f.deploy("some-job", "two").deployment.enabled);
  request.enabled = true;
  CHECK(f.service->deploy("team", "some-job", request, {}).deployment.enabled);
}

TEST_CASE("the python version is checked before the job, and changing it resets the vdk version") {
  const Fixture f;
  DeploymentRequest request;
  request.python_version = "2.7";
  const vdk::Error error = error_of([&] { (void)f.service->deploy("team", "no-such-job", request, {}); });
  CHECK(error.kind() == vdk::ErrorKind::conflict);
  CHECK(error.text().what == "Not supported python version: '2.7'");
  CHECK(error.text().countermeasures.find("'3.11' and '3.10'") != std::string::npos);
  (void)f.deploy("some-job", "one");
  request.python_version.reset();
  request.vdk_version = "1.2";
  CHECK(f.service->deploy("team", "some-job", request, {}).deployment.vdk_version == "1.2");
  CHECK(f.deploy("some-job", "two").deployment.vdk_version == "1.2");
  request.vdk_version.reset();
  request.python_version = "3.10";
  const auto changed = f.service->deploy("team", "some-job", request, {}).deployment;
  CHECK(changed.python_version == "3.10");
  CHECK(changed.interpreter == "/opt/python3.10");
  CHECK(changed.vdk_version.empty());
  CHECK(f.deploy("some-job", "three").deployment.python_version == "3.10");
}

TEST_CASE("a failed deployment keeps the previous one, can be disabled, and is tried again later") {
  const Fixture f;
  const auto first = f.deploy("some-job", "one").deployment;
  f.runtime->bad_requirements = true;
  const auto failed = f.deploy("some-job", "two").deployment;
  CHECK(failed.status == DeploymentStatus::user_error);
  CHECK(failed.status_message.find("no such package") != std::string::npos);
  const auto shown = f.service->get_deployment("team", "some-job");
  CHECK(shown->job_version == first.job_version);
  CHECK(shown->status == DeploymentStatus::user_error);
  Synchronizing other(f);
  CHECK(other.task.pass(false) == 0);
  f.clock->time += 61s;
  CHECK(other.task.pass(false) == 1);
  f.clock->time += 61s;
  CHECK(other.task.pass(false) == 0);  // the second pause is longer
  f.runtime->bad_requirements = false;
  f.clock->time += 60s;
  CHECK(other.task.pass(false) == 1);
  CHECK(f.service->get_deployment("team", "some-job")->job_version == failed.job_version);
  CHECK(f.service->get_deployment("team", "some-job")->status == DeploymentStatus::success);
}

TEST_CASE("disabling after a failed roll-out disables what runs") {
  const Fixture f;
  const auto first = f.deploy("some-job", "one").deployment;
  f.runtime->bad_requirements = true;
  (void)f.deploy("some-job", "two");
  f.runtime->bad_requirements = false;
  DeploymentRequest request;
  request.enabled = false;
  const auto disabled = f.service->deploy("team", "some-job", request, {}).deployment;
  CHECK_FALSE(disabled.enabled);
  CHECK(disabled.job_version == first.job_version);
  CHECK(disabled.status == DeploymentStatus::success);
}

TEST_CASE("a roll-out that died after the desired row is finished by the next pass") {
  const Fixture f;
  const auto first = f.deploy("some-job", "one").deployment;
  {
    Store store(f.options.database, f.home);
    Desired desired = *store.desired("some-job");
    desired.deployment.enabled = false;
    desired.deployment.status = DeploymentStatus::none;
    desired.deployment.version_hash = make_spec(f.options, "team", desired.deployment).version_hash;
    Store::Write write(store);
    store.put_desired(desired);
    write.commit();
  }
  Synchronizing other(f);
  CHECK(other.task.pass(false) == 1);
  CHECK_FALSE(f.service->get_deployment("team", "some-job")->enabled);
  CHECK(f.runtime->deployments["some-job"] != first.version_hash);
}

TEST_CASE("drift in the target is repaired and strangers are removed") {
  const Fixture f;
  (void)f.deploy("some-job", "one");
  f.runtime->deployments = {{"stranger", "x"}};
  Synchronizing other(f);
  CHECK(other.task.pass(false) == 0);
  CHECK(other.task.pass(true) == 2);
  CHECK(f.runtime->deployments.size() == 1);
  CHECK(f.runtime->deployments.count("some-job") == 1);
}

TEST_CASE("another interpreter for a version rolls its jobs out again") {
  Fixture f;
  (void)f.deploy("some-job", "one");
  PythonVersions changed = *f.options.python->get();
  changed.versions[0].interpreter = "/usr/local/bin/python3.11";
  f.options.python->replace(changed);
  Synchronizing other(f);
  CHECK(other.task.pass(true) == 1);
  CHECK(other.store.actual("some-job")->interpreter == "/usr/local/bin/python3.11");
  CHECK(other.task.pass(true) == 0);
}

TEST_CASE("a pass with nothing to do costs the same for one job and for many, and asks no target") {
  const Fixture f;
  Synchronizing other(f);
  (void)f.deploy("job-number-0", "x");
  const auto cost = [&] {
    const long long before = other.store.statements();
    CHECK(other.task.pass(false) == 0);
    return other.store.statements() - before;
  };
  const long long one = cost();
  for (int i = 1; i < 8; ++i) {
    (void)f.deploy("job-number-" + std::to_string(i), "x");
  }
  const int lists = f.runtime->lists;
  CHECK(cost() == one);
  CHECK(f.runtime->lists == lists);
}

TEST_CASE("jobs are registered once, belong to a team, and a bad schedule is refused before anything is stored") {
  const Fixture f;
  const vdk::Error bad = error_of([&] { f.service->create_job(Fixture::job("some-job", "61 * * * *")); });
  CHECK(bad.kind() == vdk::ErrorKind::configuration);
  CHECK(bad.location());
  CHECK(error_of([&] { (void)f.service->get_job("team", "some-job"); }).kind() == vdk::ErrorKind::not_found);
  DataJob job = Fixture::job("some-job");
  job.contacts.notified_on_job_success = {"a@b.c", "d@e.f"};
  f.service->create_job(job);
  CHECK(error_of([&] { f.service->create_job(job); }).kind() == vdk::ErrorKind::conflict);
  CHECK(error_of([&] { (void)f.service->get_job("TEAM", "some-job"); }).kind() == vdk::ErrorKind::not_found);
  CHECK(f.service->get_job("team", "some-job").contacts.notified_on_job_success ==
        job.contacts.notified_on_job_success);
  CHECK_THROWS_AS(f.service->check_deployment({}, "x"), vdk::Error);
  DeploymentRequest request;
  request.resources = Resources{std::nullopt, std::nullopt, 500, 100};
  CHECK_THROWS_AS(f.service->check_deployment(request, ""), vdk::Error);
}

TEST_CASE("deleting a job leaves nothing and its name can be used again") {
  const Fixture f;
  (void)f.deploy("some-job", "one");
  const std::string id = f.service->start_execution("team", "some-job", "manual/test", "{}");
  f.service->delete_job("team", "some-job");
  CHECK(f.runtime->deployments.empty());
  CHECK(f.runtime->executions.empty());
  CHECK(f.service->list_jobs("", 5).empty());
  f.service->create_job(Fixture::job("some-job"));
  CHECK_FALSE(f.service->get_deployment("team", "some-job"));
  CHECK_THROWS_AS((void)f.service->download("team", "some-job"), vdk::Error);
}

TEST_CASE("a removed deployment is gone, the job stays") {
  const Fixture f;
  (void)f.deploy("some-job", "one");
  f.service->remove_deployment("team", "some-job");
  CHECK(f.runtime->deployments.empty());
  CHECK_FALSE(f.service->get_deployment("team", "some-job"));
  CHECK(error_of([&] { f.service->remove_deployment("team", "some-job"); }).kind() == vdk::ErrorKind::not_found);
  CHECK(f.service->list_jobs("team", 0).size() == 1);
}

TEST_CASE("a database of a newer vdk is refused and left alone") {
  const Fixture f;
  f.database.execute("INSERT INTO schema_version VALUES (999)");
  const vdk::Error error = error_of([&] { (void)f.open(); });
  CHECK(error.text().why.find("999") != std::string::npos);
}

}  // namespace

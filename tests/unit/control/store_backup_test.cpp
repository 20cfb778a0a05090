// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "control/embedded/backup.hpp"
#include "control/embedded/store.hpp"
#include "control/fixture.hpp"

using vdk::ErrorKind;
using namespace vdk::control;
using namespace vdk::control::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

/// A service with two jobs: one that is executed, and one with properties and secrets.
struct Filled : Fixture {
  fs::path saved = scratch.path() / "backups" / "today";
  std::string execution;

  Filled() {
    deploy("some-job", "print(1)", "* * * * *");
    deploy("other-job", "print(2)");
    service->set_properties("team", "other-job", R"({"city":"Sofia"})");
    service->set_secrets("team", "other-job", R"({"password":"geheim"})");
    execution = service->start_execution("team", "some-job", "manual/test", "{}");
  }
};

TEST_CASE("a backup loads into an empty service, with everything that is worth keeping") {
  const Filled f;
  backup(f.options, f.saved, true);
  CHECK(mode_of(f.saved) == 0700);
  CHECK(mode_of(f.saved / "control.db") == 0600);
  CHECK(mode_of(f.saved / "secret.key") == 0600);

  Fixture fresh;
  load_backup(fresh.options, f.saved);
  fresh.service = fresh.open();
  CHECK(fresh.service->list_jobs("", 0).size() == 2);
  CHECK(fresh.service->get_properties("team", "other-job") == R"({"city":"Sofia"})");
  CHECK(fresh.service->get_secrets("team", "other-job") == R"({"password":"geheim"})");
  const auto deployment = fresh.service->get_deployment("team", "some-job");
  REQUIRE(deployment);
  CHECK(deployment->job_version == f.service->get_deployment("team", "some-job")->job_version);
  CHECK(deployment->schedule_cron == "* * * * *");
  CHECK_FALSE(deployment->last_deployed_by.empty());
  CHECK_FALSE(deployment->resources.cpu_limit);
  CHECK(fresh.service->download("team", "some-job") == f.service->download("team", "some-job"));
  // What was running then runs nowhere now, and is not started again.
  const Execution lost = fresh.service->get_execution("team", "some-job", f.execution);
  CHECK(lost.status == ExecutionStatus::platform_error);
  CHECK(fresh.runtime->starts.empty());
}

TEST_CASE("a backup grows from SQLite into this database and back") {
  const Filled f;
  backup(f.options, f.saved, false);
  const vdk::files::TemporaryDirectory laptop;
  EmbeddedOptions options = f.options;
  options.database = {};
  options.home = laptop.path() / "home";
  load_backup(options, f.saved);
  backup(options, laptop.path() / "again", false);
  const Fixture fresh;
  load_backup(fresh.options, laptop.path() / "again");
  Store before(f.options.database, f.home);
  Store after(fresh.options.database, fresh.home);
  const auto actual = after.actual("some-job");
  REQUIRE(actual);
  CHECK(actual->version_hash == before.actual("some-job")->version_hash);
  CHECK(actual->last_deployed_date == before.actual("some-job")->last_deployed_date);
  CHECK(actual->resolved_requirements == before.actual("some-job")->resolved_requirements);
  CHECK(after.all_desired().size() == 2);
}

TEST_CASE("a backup of a service that does not exist is refused") {
  const vdk::files::TemporaryDirectory scratch;
  EmbeddedOptions options;
  options.home = scratch.path() / "nothing";
  CHECK(error_of([&] { backup(options, scratch.path() / "saved", false); }).kind() == ErrorKind::not_found);
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("a backup leaves the key out unless it is asked for") {
  const Filled f;
  backup(f.options, f.saved, false);
  CHECK_FALSE(fs::exists(f.saved / "secret.key"));
}

TEST_CASE("a backup goes to a new or an empty folder, and leaves nothing beside it") {
  const Filled f;
  fs::create_directories(f.saved);
  vdk::files::write_atomic(f.saved / "mine", "precious");
  CHECK(error_of([&] { backup(f.options, f.saved, false); }).kind() == ErrorKind::conflict);
  CHECK(vdk::files::read(f.saved / "mine") == "precious");
  fs::remove(f.saved / "mine");
  backup(f.options, f.saved.string() + "/", false);
  CHECK(fs::exists(f.saved / "control.db"));
  CHECK(std::distance(fs::directory_iterator(f.saved.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a backup is not loaded over jobs or sources, nor what is none") {
  const Filled f;
  backup(f.options, f.saved, true);
  CHECK(error_of([&] { load_backup(f.options, f.saved); }).kind() == ErrorKind::conflict);
  CHECK(f.service->list_jobs("", 0).size() == 2);

  const Fixture sources_only;
  sources_only.service->create_job(Fixture::job("some-job"));
  (void)sources_only.upload("some-job", "print(3)");
  sources_only.service->delete_job("team", "some-job");
  CHECK(error_of([&] { load_backup(sources_only.options, f.saved); }).kind() == ErrorKind::conflict);
  CHECK(sources_only.service->list_jobs("", 0).empty());
  CHECK_FALSE(fs::exists(sources_only.home / "secret.key"));
  CHECK(error_of([&] { load_backup(sources_only.options, f.scratch.path()); }).kind() == ErrorKind::not_found);
}

TEST_CASE("every backup that is made while jobs are deployed has the sources of each deployment") {
  const Filled f;
  std::atomic<bool> stop = false;
  std::atomic<int> deployed = 0;
  std::jthread busy([&] {
    const auto service = f.open();
    for (int number = 0; !stop; ++number) {
      const std::string name = "worker-" + std::to_string(number % 7);
      if (number < 7) {
        service->create_job(Fixture::job(name));
      }
      DeploymentRequest request;
      request.job_version = service->upload("team", name, f.zip(name, "print(" + std::to_string(number) + ")"), "");
      (void)service->submit_deployment("team", name, request);
      ++deployed;
    }
  });
  for (int number = 0; number < 5; ++number) {
    const int before = deployed;
    while (deployed < before + 3) {
      std::this_thread::sleep_for(1ms);
    }
    backup(f.options, f.saved / std::to_string(number), false);
  }
  stop = true;
  busy.join();
  for (int number = 0; number < 5; ++number) {
    EmbeddedOptions options = f.options;
    options.database = {};
    options.home = f.scratch.path() / ("home-" + std::to_string(number));
    load_backup(options, f.saved / std::to_string(number));
    FakeTarget target(std::make_shared<Runtime>());
    for (const Finding& finding : fsck(options, target, *f.clock, false)) {
      CAPTURE(finding.subject);
      CHECK(finding.problem.find("repository") == std::string::npos);
    }
    CHECK(Store({}, options.home).all_desired().size() >= 2);
  }
}

// What fsck finds.

std::vector<Finding> check(const Fixture& f, bool repair) {
  FakeTarget target(f.runtime);
  return fsck(f.options, target, *f.clock, repair);
}

TEST_CASE("fsck finds nothing in a service that is well") {
  const Filled f;
  CHECK(check(f, false).empty());
  CHECK(check(f, true).empty());
  CHECK(check(Fixture(), false).empty());
}

TEST_CASE("fsck finds what the runtime lost and what it runs unasked, and mends both") {
  const Filled f;
  f.runtime->deployments.erase("some-job");
  f.runtime->deployments["other-job"] = "edited by hand";
  f.runtime->deployments["stranger"] = "hash";
  CHECK(check(f, false).size() == 3);
  CHECK_FALSE(f.runtime->deployments.contains("some-job"));
  const auto findings = check(f, true);
  REQUIRE(findings.size() == 3);
  for (const Finding& finding : findings) {
    CAPTURE(finding.problem);
    CHECK(finding.repaired);
  }
  CHECK(f.runtime->deployments.contains("some-job"));
  CHECK_FALSE(f.runtime->deployments.contains("stranger"));
  CHECK(check(f, false).empty());
}

TEST_CASE("fsck tells what it could not repair, and why") {
  const Filled f;
  f.runtime->deployments.erase("some-job");
  f.runtime->bad_requirements = true;
  const auto findings = check(f, true);
  REQUIRE(findings.size() == 1);
  CHECK_FALSE(findings.front().repaired);
  CHECK(findings.front().subject == "some-job");
  CHECK(findings.front().problem.find("no such package") != std::string::npos);
}

TEST_CASE("fsck finds executions that ended unseen") {
  const Filled f;
  f.runtime->executions.erase(f.execution);
  CHECK(check(f, false).empty());  // it may be just about to start
  f.clock->time += 1h;
  const auto findings = check(f, false);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().subject == f.execution);
  REQUIRE(check(f, true).size() == 1);
  CHECK(check(f, false).empty());
}

TEST_CASE("fsck finds versions that the sources do not have, and wrong notes of uploads") {
  const Filled f;
  f.database.execute("UPDATE data_job_source SET tree_oid = 'wrong' WHERE job_name = 'some-job'");
  f.database.execute(
      "UPDATE desired_data_job_deployment SET git_commit_sha = '0123456789012345678901234567890123456789' "
      "WHERE data_job_name = 'other-job'");
  auto findings = check(f, true);
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].subject == "other-job");
  CHECK_FALSE(findings[0].repaired);
  CHECK(findings[1].subject == "some-job");
  CHECK(findings[1].repaired);
  findings = check(f, true);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().subject == "other-job");
}

TEST_CASE("fsck reads every file of a deployed version") {
  const Filled f;
  // The content of 10_step.py: the only object of that size.
  std::uintmax_t smallest = 1'000'000;
  fs::path victim;
  for (const auto& entry : fs::recursive_directory_iterator(f.home / "sources.git" / "objects")) {
    if (entry.is_regular_file() && entry.file_size() < smallest) {
      smallest = entry.file_size();
      victim = entry.path();
    }
  }
  fs::remove(victim);
  const auto findings = check(f, false);
  REQUIRE_FALSE(findings.empty());
  CHECK(findings.front().problem.find("damaged") != std::string::npos);
}

TEST_CASE("fsck finds a deployment whose job is gone and removes it") {
  const Filled f;
  f.service->cancel_execution("team", "some-job", f.execution);
  f.database.execute("DELETE FROM data_job_execution");
  f.database.execute("DELETE FROM desired_data_job_deployment WHERE data_job_name = 'some-job'");
  f.database.execute("DELETE FROM data_job_source WHERE job_name = 'some-job'");
  f.database.execute("DELETE FROM data_job WHERE name = 'some-job'");
  const auto findings = check(f, true);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().subject == "some-job");
  CHECK(findings.front().repaired);
  CHECK_FALSE(f.runtime->deployments.contains("some-job"));
  CHECK(check(f, false).empty());
}

TEST_CASE("fsck finds rows without their job and deletes them") {
  const Filled f;
  if (f.database.is_postgresql()) {
    return;  // PostgreSQL does not let them come about
  }
  f.database.execute("INSERT INTO job_properties (job_name, properties_json) VALUES ('ghost', '{}')");
  REQUIRE(check(f, true).size() == 1);
  CHECK(check(f, false).empty());
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "fixture.hpp"
#include "target/local/processes.hpp"
#include "vdk/core/error.hpp"

namespace {

namespace fs = std::filesystem;
using vdk::target::ExecutionObservation;
using vdk::target::Phase;

struct ExecutionsFixture : LocalTargetFixture {
  ExecutionsFixture() { deploy("job-one", "h1"); }
  ExecutionsFixture(const ExecutionsFixture&) = delete;
  ExecutionsFixture& operator=(const ExecutionsFixture&) = delete;
  ~ExecutionsFixture() {
    for (const char* id : {"job-one-1", "job-one-2"}) {
      vdk::target::local::kill_marked_processes("VDK_LOCAL_EXECUTION", directory(id).string());
    }
  }

  fs::path directory(const std::string& id) const { return home / "executions" / id; }
  void start(const std::string& id, const std::string& order) {
    target->start({id, id, "job-one", "team", "h1", order, "manual/user"});
  }
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 1500; ++i) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool reaches(const std::string& id, Phase phase) {
    return eventually([&] { return target->observe(id).phase == phase; });
  }
  bool sleeps(const std::string& id) {
    return eventually([&] { return fs::exists(directory(id) / "sleeping"); });
  }
  std::size_t family(const std::string& id) const {
    return vdk::target::local::marked_processes("VDK_LOCAL_EXECUTION", directory(id).string()).size();
  }
};

}  // namespace

TEST_CASE_FIXTURE(ExecutionsFixture, "an execution runs detached and leaves its result, times and a private log") {
  CHECK(target->observe("job-one-1").phase == Phase::unknown);
  start("job-one-1", "");
  REQUIRE(reaches("job-one-1", Phase::finished));
  const ExecutionObservation result = target->observe("job-one-1");
  CHECK(result.termination_status == "Success");
  REQUIRE(result.start_time);
  REQUIRE(result.end_time);
  CHECK(*result.start_time <= *result.end_time);
  CHECK(target->logs("job-one-1", 0) == "ran job-one-1 in job\n");
  struct stat status {};
  REQUIRE(::stat((directory("job-one-1") / "log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  target->forget("job-one-1");
  CHECK(target->observe("job-one-1").phase == Phase::unknown);
}

TEST_CASE_FIXTURE(ExecutionsFixture, "starting an execution many times at once runs the job once") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { start("job-one-1", ""); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  REQUIRE(reaches("job-one-1", Phase::finished));
  start("job-one-1", "");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(vdk::files::read(directory("job-one-1") / "runs") == "x");
}

TEST_CASE_FIXTURE(ExecutionsFixture, "cancel ends the whole family, wherever its members went") {
  start("job-one-1", "sleep");
  REQUIRE(sleeps("job-one-1"));
  CHECK(target->observe("job-one-1").phase == Phase::running);
  CHECK(eventually([&] { return family("job-one-1") >= 3; }));  // its children may be about to begin
  CHECK_THROWS_AS(target->forget("job-one-1"), vdk::Error);
  // Another process knows only the folder.
  vdk::target::make_local_target(home, VDK_TEST_SUPERVISOR)->cancel("job-one-1");
  CHECK(family("job-one-1") == 0);
  const auto result = target->observe("job-one-1");
  CHECK(result.phase == Phase::finished);
  CHECK(result.termination_status == "Cancelled");
  CHECK(result.message == "Job execution cancelled by user.");
  CHECK(result.start_time);
}

TEST_CASE_FIXTURE(ExecutionsFixture, "a job that ignores SIGTERM is killed") {
  start("job-one-1", "stubborn");
  REQUIRE(sleeps("job-one-1"));
  target->cancel("job-one-1");
  CHECK(family("job-one-1") == 0);
  CHECK(target->observe("job-one-1").termination_status == "Cancelled");
}

TEST_CASE_FIXTURE(ExecutionsFixture, "an execution that is cancelled before its process came up never runs") {
  fs::create_directories(directory("job-one-1"));
  start("job-one-2", "");
  REQUIRE(reaches("job-one-2", Phase::finished));
  fs::copy(directory("job-one-2") / "spec.json", directory("job-one-1") / "spec.json");
  CHECK(target->observe("job-one-1").phase == Phase::submitted);
  target->cancel("job-one-1");
  start("job-one-1", "");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(!fs::exists(directory("job-one-1") / "runs"));
  CHECK(target->observe("job-one-1").termination_status == "Cancelled");
}

TEST_CASE_FIXTURE(ExecutionsFixture, "cancelling what has ended or never was changes nothing") {
  start("job-one-1", "");
  REQUIRE(reaches("job-one-1", Phase::finished));
  target->cancel("job-one-1");
  target->cancel("job-one-2");
  CHECK(target->observe("job-one-1").termination_status == "Success");
  CHECK(target->observe("job-one-2").phase == Phase::unknown);
}

TEST_CASE_FIXTURE(ExecutionsFixture, "a supervisor that is killed leaves a lost execution") {
  start("job-one-1", "die");
  REQUIRE(reaches("job-one-1", Phase::lost));
  CHECK(!target->observe("job-one-1").message.empty());
  start("job-one-1", "");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(vdk::files::read(directory("job-one-1") / "runs") == "x");
}

TEST_CASE_FIXTURE(ExecutionsFixture,
                  "an execution that was recorded and never spawned becomes unknown and can be started") {
  start("job-one-2", "");
  REQUIRE(reaches("job-one-2", Phase::finished));
  fs::create_directories(directory("job-one-1"));
  fs::copy(directory("job-one-2") / "spec.json", directory("job-one-1") / "spec.json");
  fs::last_write_time(directory("job-one-1") / "spec.json", fs::file_time_type::clock::now() - std::chrono::minutes(1));
  CHECK(target->observe("job-one-1").phase == Phase::unknown);
  start("job-one-1", "");
  CHECK(reaches("job-one-1", Phase::finished));
}

TEST_CASE_FIXTURE(ExecutionsFixture, "what a job leaves behind ends with it") {
  start("job-one-1", "daemon");
  REQUIRE(reaches("job-one-1", Phase::finished));
  CHECK(family("job-one-1") <= 1);  // at most the supervisor on its last instructions
}

#ifdef __SANITIZE_ADDRESS__
constexpr bool k_limits_fit = false;  // the sanitizer maps terabytes: under a limit its programs do not even start
#else
constexpr bool k_limits_fit = true;
#endif

TEST_CASE_FIXTURE(ExecutionsFixture, "a job that hits its memory limit is told so" * doctest::skip(!k_limits_fit)) {
  auto limited = spec("job-one", "h2");
  limited.memory_limit = 256;
  target->apply(limited, sources(""), {});
  target->start({"job-one-1", "op", "job-one", "team", "h2", "memory", "manual/user"});
  REQUIRE(reaches("job-one-1", Phase::finished));
  CHECK(target->observe("job-one-1").termination_status == "User error");
  CHECK(target->observe("job-one-1").message == "Memory limit of 256 MiB exceeded.");
}

TEST_CASE_FIXTURE(ExecutionsFixture, "an execution that takes too long is ended with all its processes and told so") {
  ::setenv("VDK_LOCAL_EXECUTION_DEADLINE", "1", 1);
  start("job-one-1", "sleep");  // its supervisor never comes to an end by itself
  REQUIRE(sleeps("job-one-1"));
  ::unsetenv("VDK_LOCAL_EXECUTION_DEADLINE");
  REQUIRE(reaches("job-one-1", Phase::finished));
  CHECK(target->observe("job-one-1").termination_status == "User error");
  CHECK(target->observe("job-one-1").message == "Execution deadline of 1 seconds exceeded; the job was ended.");
  CHECK(family("job-one-1") <= 1);
}

TEST_CASE_FIXTURE(ExecutionsFixture, "the tail of a long log is exact at every length") {
  start("job-one-1", "lines");
  REQUIRE(reaches("job-one-1", Phase::finished));
  CHECK(target->logs("job-one-1", 1) == "line 100000\n");
  CHECK(target->logs("job-one-1", 3) == "line 99998\nline 99999\nline 100000\n");
  const std::string many = target->logs("job-one-1", 20000);
  CHECK(many.starts_with("line 80001\n"));
  CHECK(target->logs("job-one-1", 10000000).starts_with("ran job-one-1"));
  CHECK(target->logs("job-one-2", 5).empty());
}

TEST_CASE_FIXTURE(ExecutionsFixture, "the deployment of a running execution survives redeploys and removal") {
  start("job-one-1", "sleep");
  REQUIRE(sleeps("job-one-1"));
  for (const char* hash : {"h2", "h3", "h4", "h5"}) {
    deploy("job-one", hash);
  }
  CHECK(fs::exists(home / "deployments/job-one/h1/deployment.json"));
  target->remove("job-one");
  CHECK(fs::exists(home / "deployments/job-one/h1/deployment.json"));
  CHECK(target->list().empty());
  target->cancel("job-one-1");
  target->remove("job-one");
  CHECK(!fs::exists(home / "deployments/job-one"));
}

TEST_CASE_FIXTURE(ExecutionsFixture, "a deployment that is not there cannot be started") {
  CHECK_THROWS_AS(target->start({"job-one-1", "op", "job-one", "team", "h9", "", "manual/user"}), vdk::Error);
  CHECK(target->observe("job-one-1").phase == Phase::unknown);
}

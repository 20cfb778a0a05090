// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/sources.hpp"

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "control/fixture.hpp"
#include "vdk/core/process.hpp"

namespace {

using namespace vdk::control;
using vdk::control::testing::error_of;
using vdk::control::testing::Fixture;

TEST_CASE("equal content keeps its version, every change and every way back gets a new one") {
  const Fixture f;
  f.service->create_job(Fixture::job("some-job"));
  f.service->create_job(Fixture::job("other-job"));
  const std::string first = f.upload("some-job", "one");
  CHECK(first.size() == 40);
  CHECK(f.upload("some-job", "one") == first);
  const std::string second = f.upload("some-job", "two");
  CHECK(second != first);
  (void)f.upload("other-job", "x");
  CHECK(f.upload("some-job", "two") == second);
  const std::string third = f.upload("some-job", "one");
  CHECK(third != first);
  CHECK(third != second);
}

TEST_CASE("the version is found in the history when the note of it is missing") {
  const vdk::files::TemporaryDirectory scratch;
  const auto folder = scratch.path() / "job";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "run.sh") << "echo";
  ::chmod((folder / "run.sh").c_str(), 0755);
  const vdk::TimePoint now = vdk::from_unix_micros(1'700'000'000'000'000);
  Sources sources(scratch.path(), "alice <x>");
  const SourceRecord first = sources.commit("some-job", folder, "", now, std::nullopt);
  (void)sources.commit("zzz-job", folder, "", now, std::nullopt);
  CHECK(sources.commit("some-job", folder, "", now, std::nullopt).commit_sha == first.commit_sha);
  CHECK(sources.commit("some-job", folder, "", now, SourceRecord{"another", "wrong"}).commit_sha == first.commit_sha);
  sources.write("some-job", first.commit_sha, scratch.path() / "out");
  struct stat info {};
  REQUIRE(::stat((scratch.path() / "out" / "run.sh").c_str(), &info) == 0);
  CHECK((info.st_mode & 0100U) != 0U);
  sources.remove("some-job", now);
  CHECK_FALSE(sources.head_version("some-job"));
  CHECK(sources.head_version("zzz-job"));
}

TEST_CASE("an old version is taken by an unambiguous beginning, an unknown one lists the last versions") {
  const Fixture f;
  (void)f.deploy("some-job", "one");
  const std::string first = f.service->get_deployment("team", "some-job")->job_version;
  const std::string second = f.deploy("some-job", "two").deployment.job_version;
  DeploymentRequest request;
  request.job_version = first.substr(0, 10);
  CHECK(f.service->deploy("team", "some-job", request, {}).deployment.job_version == first);
  CHECK(f.runtime->files["some-job"]["10_step.py"] == "one");
  request.job_version = "0123456789";
  const vdk::Error error = error_of([&] { (void)f.service->deploy("team", "some-job", request, {}); });
  CHECK(error.kind() == vdk::ErrorKind::not_found);
  CHECK(error.text().countermeasures.find(second + ", " + first) != std::string::npos);
}

TEST_CASE("a job is downloaded as it was uploaded") {
  const Fixture f;
  f.service->create_job(Fixture::job("some-job"));
  CHECK_THROWS_AS((void)f.service->download("team", "some-job"), vdk::Error);
  (void)f.upload("some-job", "one");
  CHECK(f.service->download("team", "some-job") == f.zip("some-job", "one"));
}

using vdk::files::TemporaryDirectory;

const vdk::TimePoint k_now = vdk::from_unix_micros(1'700'000'000'000'000);

std::filesystem::path make_job(const TemporaryDirectory& scratch, const std::string& name, const std::string& step) {
  const auto folder = scratch.path() / "jobs" / name;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "10_step.sql") << step;
  return folder;
}

/// Git's own server over HTTP with a bare repository, as a process beside the test.
class GitServer {
 public:
  GitServer() {
    vdk::process::Command init;
    init.argv = {"git", "init", "-q", "--bare", (m_root.path() / "jobs.git").string()};
    REQUIRE(vdk::process::run(init).exit_code == 0);
    vdk::process::Command serve;
    serve.argv = {"python3", std::string(VDK_TEST_SUPPORT) + "/git_http.py", m_root.path().string(), "robot", "s3cret"};
    m_pid = vdk::process::spawn_detached(serve, m_root.path() / "log");
    for (int i = 0; i < 500 && m_port.empty(); ++i) {
      const std::string log = vdk::files::read(m_root.path() / "log");
      m_port = log.ends_with('\n') ? log.substr(0, log.find('\n')) : "";
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    REQUIRE_FALSE(m_port.empty());
  }
  GitServer(const GitServer&) = delete;
  GitServer& operator=(const GitServer&) = delete;
  ~GitServer() { ::kill(m_pid, SIGKILL); }

  [[nodiscard]] SourceOptions options(const std::string& password = "s3cret") const {
    SourceOptions result;
    result.url = "http://127.0.0.1:" + m_port + "/jobs.git";
    result.username = "robot";
    result.password = password;
    return result;
  }
  [[nodiscard]] std::filesystem::path repository() const { return m_root.path() / "jobs.git"; }
  [[nodiscard]] std::string git(std::vector<std::string> arguments) const {
    vdk::process::Command command;
    command.argv = {"git", "-c", "safe.directory=*", "-C", repository().string()};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    return vdk::process::run(command).out;
  }

 private:
  TemporaryDirectory m_root;
  pid_t m_pid = 0;
  std::string m_port;
};

/// Several services, each with a home of its own, store versions of their jobs at the same time.
std::vector<std::string> race(const SourceOptions& options, int services, int versions) {
  const TemporaryDirectory scratch;
  std::mutex mutex;
  std::vector<std::string> acknowledged;
  std::vector<std::thread> threads;
  for (int i = 0; i < services; ++i) {
    threads.emplace_back([&, i] {
      const std::string job = "job-" + std::to_string(i);
      const auto home = scratch.path() / ("home-" + std::to_string(i));
      std::filesystem::create_directories(home);
      Sources sources(home, options, job + "-owner");
      for (int version = 0; version < versions; ++version) {
        const auto folder = make_job(scratch, job, "SELECT " + std::to_string(version));
        const auto record = sources.commit(job, folder, "", k_now, std::nullopt);
        const std::lock_guard lock(mutex);
        acknowledged.push_back(record.commit_sha);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  return acknowledged;
}

TEST_CASE("a repository on a shared path takes commits of several services at once and loses none") {
  const TemporaryDirectory shared;
  SourceOptions options;
  options.url = (shared.path() / "team" / "jobs.git").string();
  options.branch = "production";
  const auto acknowledged = race(options, 4, 8);
  CHECK(std::set<std::string>(acknowledged.begin(), acknowledged.end()).size() == 32);
  vdk::process::Command log;
  log.argv = {"git", "-c", "safe.directory=*", "-C", options.url, "log", "--format=%H"};
  const std::string history = vdk::process::run(log).out;  // HEAD is the branch, so plain git finds it
  for (const std::string& version : acknowledged) {
    CHECK(history.find(version) != std::string::npos);
  }
  options.url = "file://" + options.url;
  Sources other(shared.path(), options, "carol");
  CHECK(other.versions("job-3", 100).size() == 8);
}

TEST_CASE("a folder that is something else is not made a repository") {
  const TemporaryDirectory scratch;
  std::ofstream(scratch.path() / "precious") << "x";
  SourceOptions options;
  options.url = scratch.path().string();
  Sources sources(scratch.path(), options, "alice");
  const vdk::Error error = error_of([&] { (void)sources.head_version("some-job"); });
  CHECK(error.kind() == vdk::ErrorKind::configuration);
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "objects"));
}

TEST_CASE("a remote repository takes commits of several services at once and loses none") {
  const GitServer server;
  const auto acknowledged = race(server.options(), 3, 3);
  CHECK(std::set<std::string>(acknowledged.begin(), acknowledged.end()).size() == 9);
  const std::string history = server.git({"log", "--format=%H", "main"});
  for (const std::string& version : acknowledged) {
    CHECK(history.find(version) != std::string::npos);
  }
}

TEST_CASE("what one service stored at a remote repository another one finds") {
  const GitServer server;
  const TemporaryDirectory scratch;
  std::filesystem::create_directories(scratch.path() / "a");
  std::filesystem::create_directories(scratch.path() / "b");
  Sources first(scratch.path() / "a", server.options(), "alice");
  Sources second(scratch.path() / "b", server.options(), "bob");
  CHECK_FALSE(second.head_version("some-job"));
  const std::string version =
      first.commit("some-job", make_job(scratch, "some-job", "one"), "why", k_now, {}).commit_sha;
  CHECK(server.git({"log", "--format=%an %s", "main"}) == "alice Update data job: some-job\n");
  CHECK(second.resolve("some-job", version.substr(0, 8)) == version);
  second.set_user("carol");
  const std::string next = second.commit("some-job", make_job(scratch, "some-job", "two"), "", k_now, {}).commit_sha;
  first.write("some-job", next, scratch.path() / "out");
  CHECK(vdk::files::read(scratch.path() / "out" / "10_step.sql") == "two");
  CHECK(first.commit("some-job", scratch.path() / "jobs" / "some-job", "", k_now, {}).commit_sha == next);
  first.remove("some-job", k_now, "not needed");
  CHECK_FALSE(second.head_version("some-job"));
  CHECK(server.git({"log", "--format=%an|%b", "-1", "main"}).find("not needed") != std::string::npos);
}

TEST_CASE("nothing is acknowledged that the remote repository did not take") {
  const GitServer server;
  const TemporaryDirectory scratch;
  const auto folder = make_job(scratch, "some-job", "one");
  SUBCASE("because the password is wrong") {
    Sources sources(scratch.path(), server.options("wr0ng-secret"), "alice");
    const vdk::Error error = error_of([&] { (void)sources.commit("some-job", folder, "", k_now, {}); });
    CHECK(error.kind() == vdk::ErrorKind::unreachable);
    CHECK(vdk::format_error(error).find("wr0ng-secret") == std::string::npos);
    CHECK(error.text().why.find("password") != std::string::npos);
  }
  SUBCASE("because a hook refuses") {
    std::ofstream(server.repository() / "hooks" / "pre-receive") << "#!/bin/sh\nexit 1\n";
    ::chmod((server.repository() / "hooks" / "pre-receive").c_str(), 0755);
    Sources sources(scratch.path(), server.options(), "alice");
    const vdk::Error error = error_of([&] { (void)sources.commit("some-job", folder, "", k_now, {}); });
    CHECK(error.text().why.find("hook") != std::string::npos);
    CHECK_FALSE(sources.head_version("some-job"));
  }
  SUBCASE("because nobody listens") {
    SourceOptions options = server.options();
    options.url = "http://robot:t0ken@127.0.0.1:1/jobs.git";
    Sources sources(scratch.path(), options, "alice");
    const vdk::Error error = error_of([&] { (void)sources.commit("some-job", folder, "", k_now, {}); });
    CHECK(error.kind() == vdk::ErrorKind::unreachable);
    CHECK(error.text().what.find("127.0.0.1:1/jobs.git") != std::string::npos);
    CHECK(vdk::format_error(error).find("t0ken") == std::string::npos);
  }
  CHECK(server.git({"log", "--format=%H", "--all"}).empty());
}

TEST_CASE("sources that were in the home move to a remote repository with their history") {
  const GitServer server;
  const TemporaryDirectory scratch;
  const auto folder = make_job(scratch, "some-job", "one");
  const std::string before = Sources(scratch.path(), "alice").commit("some-job", folder, "", k_now, {}).commit_sha;
  Sources sources(scratch.path(), server.options(), "alice");
  (void)sources.commit("other-job", folder, "", k_now, {});
  CHECK(server.git({"log", "--format=%H", "main"}).find(before) != std::string::npos);
}

TEST_CASE("versions stay readable when the history of the remote repository is written anew") {
  const GitServer server;
  const TemporaryDirectory scratch;
  Sources sources(scratch.path(), server.options(), "alice");
  const std::string old = sources.commit("some-job", make_job(scratch, "some-job", "one"), "", k_now, {}).commit_sha;
  const std::string tree = server.git({"rev-parse", "main^{tree}"}).substr(0, 40);
  const std::string orphan =
      server.git({"-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "-m", "anew", tree}).substr(0, 40);
  (void)server.git({"update-ref", "refs/heads/main", orphan});
  CHECK(sources.head_version("some-job") == orphan);
  sources.write("some-job", old, scratch.path() / "out");
  CHECK(vdk::files::read(scratch.path() / "out" / "10_step.sql") == "one");
}

TEST_CASE("the address of a job's sources names branch and job and no password") {
  const TemporaryDirectory scratch;
  CHECK(Sources(scratch.path(), "alice").url("some-job").empty());
  SourceOptions options;
  options.url = "https://robot:t0ken@git.example.com/team/jobs.git";
  CHECK(Sources(scratch.path(), options, "").url("some-job") == "https://git.example.com/team/jobs/tree/main/some-job");
}

}  // namespace

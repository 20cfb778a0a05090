// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/sources.hpp"

#include <sys/stat.h>

#include "control/fixture.hpp"

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

}  // namespace

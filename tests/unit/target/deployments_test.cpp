// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "fixture.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"

namespace {

namespace fs = std::filesystem;

/// A folder with one hand-made wheel that has a console script; the only place that pip may look into.
struct WheelHouse {
  vdk::files::TemporaryDirectory folder;

  explicit WheelHouse(const vdk::target::Interpreter& python) {
    for (const char* name : {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT", "PIP_REQUIREMENT"}) {
      ::unsetenv(name);
    }
    ::setenv("PIP_NO_INDEX", "1", 1);
    ::setenv("PIP_FIND_LINKS", folder.path().c_str(), 1);
    ::setenv("PIP_CONFIG_FILE", "/dev/null", 1);
    vdk::process::Command command;
    command.directory = folder.path();
    command.argv = {python.path.string(), "-c", R"(
import zipfile
with zipfile.ZipFile('greeter-1.5-py3-none-any.whl', 'w') as z:
    z.writestr('greeter.py', 'def main():\n    print("hello from greeter")\n')
    d = 'greeter-1.5.dist-info/'
    z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\nName: Greeter\nVersion: 1.5\n')
    z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
    z.writestr(d + 'entry_points.txt', '[console_scripts]\ngreet = greeter:main\n')
    z.writestr(d + 'RECORD', 'greeter.py,,\n' + ''.join(d + n + ',,\n' for n in ('METADATA', 'WHEEL', 'entry_points.txt', 'RECORD')))
)"};
    REQUIRE(vdk::process::run(command).exit_code == 0);
  }
};

std::size_t count_folders(const fs::path& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    count += entry.is_directory() && !entry.is_symlink() ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE_FIXTURE(LocalTargetFixture,
                  "a deployment without requirements gets a working environment that others share") {
  const auto first = deploy("job-one", "h1", "# nothing but\n\n   # comments\n");
  CHECK(first.built);
  CHECK(first.resolved_requirements.empty());
  const auto second = deploy("job-two", "h2");
  CHECK(!second.built);
  CHECK(second.environment == first.environment);
  CHECK(target->list() == std::map<std::string, std::string>{{"job-one", "h1"}, {"job-two", "h2"}});
  vdk::process::Command command;
  command.argv = {(home / "environments" / first.environment / "bin/python").string(), "-c", "print(6*7)"};
  CHECK(vdk::process::run(command).out == "42\n");
}

TEST_CASE_FIXTURE(LocalTargetFixture, "applying the same deployment again does not even write the sources") {
  deploy("job-one", "h1");
  bool written = false;
  const auto again = target->apply(spec("job-one", "h1"), [&](const fs::path&) { written = true; }, {});
  CHECK(!written);
  CHECK(!again.built);
}

TEST_CASE_FIXTURE(LocalTargetFixture, "requirements are installed, frozen and usable through their console script") {
  const WheelHouse wheels(python);
  std::string progress;
  const auto applied = target->apply(spec("job-one", "h1"), sources("", "greeter>=1\n"),
                                     [&](std::string_view line) { progress.append(line).append("\n"); });
  CHECK(applied.built);
  CHECK(applied.resolved_requirements == std::vector<std::string>{"Greeter==1.5"});
  CHECK(progress.find("reeter") != std::string::npos);
  vdk::process::Command command;
  command.argv = {(home / "environments" / applied.environment / "bin/greet").string()};
  CHECK(vdk::process::run(command).out == "hello from greeter\n");
  SUBCASE("spelled differently they are the same environment") {
    const auto same = deploy("job-two", "h9", "# why\n  greeter>=1   # because\r\n");
    CHECK(same.environment == applied.environment);
    CHECK(same.resolved_requirements == applied.resolved_requirements);
  }
  SUBCASE("what cannot be installed is the user's error and leaves the previous deployment alone") {
    try {
      deploy("job-one", "h2", "no-such-package-anywhere==9\n");
      FAIL("no error");
    } catch (const vdk::Error& error) {
      CHECK(error.kind() == vdk::ErrorKind::user_code);
      CHECK(error.text().why.find("no-such-package-anywhere") != std::string::npos);
      CHECK(error.text().consequences.find("goes on running") != std::string::npos);
    }
    CHECK(target->list().at("job-one") == "h1");
    CHECK(count_folders(home / "environments") == 1);
    CHECK(count_folders(home / "deployments/job-one") == 1);
  }
}

TEST_CASE_FIXTURE(LocalTargetFixture,
                  "an environment that lost its mark is built again, and so is one that is damaged") {
  const auto first = deploy("job-one", "h1");
  const fs::path environment = home / "environments" / first.environment;
  fs::remove(environment / "complete");
  CHECK(target->list().empty());
  CHECK(deploy("job-one", "h1").built);
  CHECK(target->list().size() == 1);
  fs::remove_all(environment / "bin");
  CHECK(target->list().empty());
  CHECK(deploy("job-one", "h1").built);
}

TEST_CASE_FIXTURE(LocalTargetFixture, "a damaged deployment is left out and made whole by apply") {
  deploy("job-one", "h1");
  fs::remove(home / "deployments/job-one/h1/deployment.json");
  CHECK(target->list().empty());
  deploy("job-one", "h1");
  CHECK(target->list().at("job-one") == "h1");
  CHECK(fs::exists(home / "deployments/job-one/h1/job/10_step.py"));
}

TEST_CASE_FIXTURE(LocalTargetFixture,
                  "a deployment that is damaged or mended after it was listed is seen as it is now") {
  deploy("job-one", "h1");
  CHECK(target->list().size() == 1);
  const fs::path file = home / "deployments/job-one/h1/deployment.json";
  const std::string whole = vdk::files::read(file);
  std::ofstream(file) << "{ broken";
  CHECK(target->list().empty());
  vdk::files::write_atomic(file, whole);
  CHECK(target->list().at("job-one") == "h1");
  fs::remove_all(home / "deployments/job-one/h1/job");
  CHECK(target->list().empty());
}

TEST_CASE_FIXTURE(LocalTargetFixture, "the last three deployments stay and what a crash left goes") {
  deploy("job-one", "h1");
  fs::create_directory(home / "deployments/job-one/.staging.abc");
  for (const char* hash : {"h2", "h3", "h4", "h5"}) {
    deploy("job-one", hash);
  }
  CHECK(count_folders(home / "deployments/job-one") == 3);
  CHECK(!fs::exists(home / "deployments/job-one/.staging.abc"));
  CHECK(target->list().at("job-one") == "h5");
}

TEST_CASE_FIXTURE(LocalTargetFixture, "going back to a kept deployment switches without building") {
  deploy("job-one", "h1");
  deploy("job-one", "h2");
  CHECK(!deploy("job-one", "h1").built);
  CHECK(target->list().at("job-one") == "h1");
}

TEST_CASE_FIXTURE(LocalTargetFixture, "sources that cannot be written leave nothing") {
  deploy("job-one", "h1");
  CHECK_THROWS(target->apply(spec("job-one", "h2"), [](const fs::path&) { throw std::runtime_error("no"); }, {}));
  CHECK(target->list().at("job-one") == "h1");
  CHECK(count_folders(home / "deployments/job-one") == 1);
}

TEST_CASE_FIXTURE(LocalTargetFixture, "remove deletes deployments and the environments that only they used") {
  deploy("job-one", "h1");
  deploy("job-two", "h2");
  target->remove("job-one");
  CHECK(count_folders(home / "environments") == 1);
  target->remove("job-two");
  target->remove("job-two");
  CHECK(count_folders(home / "environments") == 0);
  CHECK(target->list().empty());
}

TEST_CASE_FIXTURE(LocalTargetFixture, "parallel deployments with one environment build it once") {
  std::atomic<int> built = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto other = vdk::target::make_local_target(home, VDK_TEST_SUPERVISOR);
      const std::string job = "job-" + std::to_string(i);
      built += other->apply(spec(job, "h1"), sources(""), {}).built ? 1 : 0;
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(built == 1);
  CHECK(target->list().size() == 4);
}

TEST_CASE_FIXTURE(LocalTargetFixture, "an interpreter that is gone is named") {
  auto wanted = spec("job-one", "h1");
  wanted.interpreter = "/nowhere/python3.11";
  try {
    target->apply(wanted, sources(""), {});
    FAIL("no error");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::platform);
    CHECK(error.text().why.find("/nowhere/python3.11") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(LocalTargetFixture, "a name that leaves the folder is refused") {
  CHECK_THROWS_AS(deploy("../job", "h1"), vdk::Error);
  CHECK_THROWS_AS(deploy("job-one", "a/b"), vdk::Error);
}

TEST_CASE_FIXTURE(LocalTargetFixture, "a build that hangs is given up when the server stops, and leaves nothing") {
  std::atomic<bool> stop = false;
  const auto stopping = vdk::target::make_local_target(home, VDK_TEST_SUPERVISOR, &stop);
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);  // a package index that never answers
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(silent, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(silent, 8) == 0);
  ::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string index = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/simple";
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    stop = true;
  });
  try {
    stopping->apply(spec("job-one", "h1"), sources("", "--index-url " + index + "\nnothing\n"), {});
    FAIL("no error");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::interrupted);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  ::close(silent);
  CHECK(target->list().empty());
  CHECK(count_folders(home / "environments") == 0);
}

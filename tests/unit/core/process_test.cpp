// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/process.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

using namespace vdk;
using namespace std::chrono_literals;

TEST_CASE("run collects both streams, the exit code and every line") {
  std::vector<std::string> lines;
  const auto result = process::run({.argv = {"sh", "-c", "cat; echo err >&2; printf tail; exit 3"}, .input = "in\n"},
                                   [&](std::string_view line) { lines.emplace_back(line); });
  CHECK(result.exit_code == 3);
  CHECK(result.out == "in\ntail");
  CHECK(result.err == "err\n");
  CHECK(lines.size() == 3);
}

TEST_CASE("a child that writes much before it reads its large input does not dead-lock") {
  const std::string input(4 << 20, 'x');
  const auto result =
      process::run({.argv = {"sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' y; wc -c"}, .input = input});
  CHECK(result.out.ends_with("4194304\n"));
}

TEST_CASE("the environment of a child is what was asked for") {
  setenv("VDK_TEST_REMOVED", "1", 1);
  const auto result = process::run({.argv = {"sh", "-c", "echo ${VDK_TEST_REMOVED-gone} $VDK_TEST_SET; pwd"},
                                    .directory = "/",
                                    .set = {{"VDK_TEST_SET", "a b"}},
                                    .unset = {"VDK_TEST_REMOVED"}});
  CHECK(result.out == "gone a b\n/\n");
}

TEST_CASE("a missing program is an error before anything runs, a signal is 128 plus its number") {
  CHECK_THROWS_AS([[maybe_unused]] auto ignored = process::run({.argv = {"vdk-no-such-program"}}), Error);
  CHECK_THROWS_AS([[maybe_unused]] auto ignored = process::run({.argv = {"sh"}, .directory = "/no/such"}), Error);
  CHECK(process::run({.argv = {"sh", "-c", "kill -9 $$"}}).exit_code == 137);
}

TEST_CASE("a timeout kills the whole process group") {
  const auto start = std::chrono::steady_clock::now();
  const auto result = process::run({.argv = {"sh", "-c", "sleep 30 & sleep 30"}, .timeout = 200ms});
  CHECK(result.timed_out);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("a flag that becomes true kills the whole process group") {
  std::atomic<bool> stop = false;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    stop = true;
  });
  const auto start = std::chrono::steady_clock::now();
  const auto result = process::run({.argv = {"sh", "-c", "sleep 30 & sleep 30"}, .stop = &stop});
  CHECK(result.stopped);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
  CHECK_FALSE(process::run({.argv = {"true"}, .timeout = 20s, .stop = nullptr}).stopped);
}

TEST_CASE("a detached process writes to its log and has an identity until it ends") {
  const files::TemporaryDirectory dir;
  const pid_t pid = process::spawn_detached({.argv = {"sh", "-c", "echo hello; exec sleep 30"}}, dir.path() / "log");
  CHECK(process::identity(pid).has_value());
  for (int i = 0; i < 200 && files::read_if_exists(dir.path() / "log").value_or("").empty(); ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(files::read(dir.path() / "log") == "hello\n");
  kill(pid, SIGKILL);
  for (int i = 0; i < 500 && process::identity(pid).has_value(); ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK_FALSE(process::identity(pid).has_value());
}

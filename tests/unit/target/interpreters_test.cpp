// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/target/local.hpp"

namespace {

namespace fs = std::filesystem;

struct PathGuard {
  std::string before = vdk::process::environment("PATH").value_or("");
  explicit PathGuard(const std::string& path) { ::setenv("PATH", path.c_str(), 1); }
  ~PathGuard() { ::setenv("PATH", before.c_str(), 1); }
  PathGuard(const PathGuard&) = delete;
  PathGuard& operator=(const PathGuard&) = delete;
};

void write_script(const fs::path& path, const std::string& body) {
  std::ofstream(path) << "#!/bin/sh\n" << body;
  ::chmod(path.c_str(), 0755);
}

/// An interpreter as far as the probe can see; counts how often it runs.
std::string answers(const fs::path& self, const std::string& numbers, const std::string& name) {
  return "echo x >> " + self.string() + ".runs\necho '[" + numbers + ",\"final\",0,\"" + name + "\",\"" +
         self.string() + "\"]'\n";
}

std::size_t runs(const fs::path& path) {
  return vdk::files::read_if_exists(path.string() + ".runs").value_or("").size() / 2;
}

}  // namespace

TEST_CASE("the interpreters of this machine are found with their own idea of their version") {
  const auto found = vdk::target::discover_interpreters({});
  REQUIRE(!found.empty());
  for (const auto& interpreter : found) {
    vdk::process::Command command;
    command.argv = {interpreter.path.string(), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"};
    CHECK(vdk::text::trim(vdk::process::run(command).out) == interpreter.version);
    CHECK(interpreter.full_version.starts_with(interpreter.version + "."));
  }
  if (const auto pypy = vdk::process::find_program("pypy3")) {
    const auto probed = vdk::target::probe_interpreter(*pypy);
    REQUIRE(probed);
    CHECK(probed->implementation == "PyPy");
  }
}

TEST_CASE("shims that fail are skipped, 3.10 sorts above 3.9 and CPython wins over PyPy") {
  const vdk::files::TemporaryDirectory folder;
  const fs::path& bin = folder.path();
  write_script(bin / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127\n");
  write_script(bin / "python3.9", answers(bin / "python3.9", "3,9,16", "cpython"));
  write_script(bin / "python3.10", answers(bin / "python3.10", "3,10,1", "cpython"));
  write_script(bin / "python3.7", answers(bin / "python3.7", "3,7,1", "cpython"));
  write_script(bin / "pypy3", answers(bin / "pypy3", "3,10,5", "pypy"));
  write_script(bin / "python3-config", answers(bin / "python3-config", "3,14,0", "cpython"));
  const PathGuard guard(bin.string() + ":/usr/bin/nowhere");
  // The shell that the scripts need is called by its full path, echo is built in.
  const auto found = vdk::target::discover_interpreters(bin / "cache.json");
  REQUIRE(found.size() == 2);
  CHECK(found[0].version == "3.10");
  CHECK(found[0].implementation == "CPython");
  CHECK(found[0].full_version == "3.10.1");
  CHECK(found[1].version == "3.9");
}

TEST_CASE("an interpreter is run once until it changes") {
  const vdk::files::TemporaryDirectory folder;
  const fs::path python = folder.path() / "python3.9";
  write_script(python, answers(python, "3,9,16", "cpython"));
  const PathGuard guard(folder.path().string());
  const fs::path cache = folder.path() / "cache.json";
  CHECK(vdk::target::discover_interpreters(cache).size() == 1);
  CHECK(vdk::target::discover_interpreters(cache).size() == 1);
  CHECK(runs(python) == 1);
  write_script(python, answers(python, "3,11,2", "cpython"));
  const auto found = vdk::target::discover_interpreters(cache);
  REQUIRE(found.size() == 1);
  CHECK(found[0].version == "3.11");
  CHECK(runs(python) == 2);
  std::ofstream(cache) << "{broken";
  CHECK(vdk::target::discover_interpreters(cache).size() == 1);
}

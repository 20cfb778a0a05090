// SPDX-License-Identifier: Apache-2.0
#include "run/fixture.hpp"

namespace vdk::run {

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("plugins are found beside an interpreter without starting it") {
  const JobFixture folder;
  const auto prefix = folder.job_directory() / "venv";
  const auto site = prefix / "lib/python3.11/site-packages";
  const auto python = prefix / "bin/python3";
  const std::string plugin = "[console_scripts]\nx = y:z\n[vdk.plugin.run]\nacme = acme_plugin\n";
  write(prefix / "pyvenv.cfg", "");
  write(python, "not a program");
  CHECK_FALSE(python_plugins_installed(python));
  write(site / "pip-23.0.dist-info/entry_points.txt", "[console_scripts]\npip = pip:main\n");
  write(site / "other-1.0.dist-info/METADATA", "");
  CHECK_FALSE(python_plugins_installed(python));
  write(site / "vdk_sqlite-0.1.dist-info/entry_points.txt", plugin);  // a part of vdk
  CHECK_FALSE(python_plugins_installed(python));
  write(site / "acme-1.0.dist-info/entry_points.txt", plugin);
  CHECK(python_plugins_installed(python));
  CHECK_FALSE(python_plugins_installed(folder.job_directory() / "no-such/bin/python3"));
}

}  // namespace vdk::run

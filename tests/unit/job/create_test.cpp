// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdlib>

#include "vdk/core/files.hpp"
#include "vdk/job/job.hpp"

namespace files = vdk::files;
namespace fs = std::filesystem;

namespace {

std::size_t count_entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

vdk::ErrorKind refusal(const vdk::job::CreateOptions& options) {
  try {
    vdk::job::create(options);
  } catch (const vdk::Error& error) {
    return error.kind();
  }
  return vdk::ErrorKind::internal;
}

}  // namespace

TEST_CASE("every template makes a job with steps, the given team and no warnings") {
  const auto names = vdk::job::template_names();
  CHECK(names == std::vector<std::string>{"default", "ingest", "notebook", "python", "sql"});
  const files::TemporaryDirectory folder;
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto created = vdk::job::create({"example-" + name, "my team 100%", folder.path(), name});
    CHECK(created == folder.path() / ("example-" + name));
    const auto job = vdk::job::load(created);
    CHECK(job.config.team == "my team 100%");
    CHECK(job.config.warnings.empty());
    CHECK_FALSE(job.steps.empty());
    CHECK(job.ini->get("vdk", "db_default_type") == "SQLITE");
    CHECK(fs::exists(created / "README.md"));
  }
  CHECK(count_entries(folder.path()) == names.size());
}

TEST_CASE("the sample has the original's files and schedule") {
  const files::TemporaryDirectory folder;
  const auto job = vdk::job::load(vdk::job::create({"example", "t", folder.path(), "default"}));
  CHECK(job.config.schedule_cron == "11 23 5 8 1");
  REQUIRE(job.steps.size() == 2);
  CHECK(job.steps[0].name == "10_sql_step.sql");
  CHECK(job.steps[1].name == "20_python_step.py");
  CHECK(fs::exists(job.directory / "requirements.txt"));
}

TEST_CASE("nothing is left when a job cannot be created") {
  const files::TemporaryDirectory folder;
  fs::create_directory(folder.path() / "existing");
  CHECK(refusal({"existing", "t", folder.path(), "default"}) == vdk::ErrorKind::conflict);
  CHECK(refusal({"example", "t", folder.path() / "missing", "default"}) == vdk::ErrorKind::not_found);
  CHECK(refusal({"example", "t", folder.path(), "../default"}) == vdk::ErrorKind::usage);
  CHECK(refusal({"example", "t\nx", folder.path(), "default"}) == vdk::ErrorKind::usage);
  CHECK(refusal({"Bad", "t", folder.path(), "default"}) == vdk::ErrorKind::usage);
  CHECK(count_entries(folder.path()) == 1);
  CHECK(fs::is_empty(folder.path() / "existing"));
}

TEST_CASE("a sample folder of one's own replaces the default, its comments stay") {
  const files::TemporaryDirectory folder;
  fs::create_directories(folder.path() / "sample" / "sub");
  files::write_atomic(folder.path() / "sample" / "config.ini", "# ours\n[owner]\nteam=x\n# end\n");
  setenv("VDK_CONTROL_SAMPLE_JOB_DIRECTORY", (folder.path() / "sample").c_str(), 1);
  const auto created = vdk::job::create({"example", "t", folder.path(), "default"});
  unsetenv("VDK_CONTROL_SAMPLE_JOB_DIRECTORY");
  CHECK(files::read(created / "config.ini") == "# ours\n[owner]\nteam = t\n# end\n");
  CHECK(count_entries(created) == 1);
}

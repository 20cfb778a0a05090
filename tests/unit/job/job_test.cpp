// SPDX-License-Identifier: Apache-2.0
#include "vdk/job/job.hpp"

#include <doctest/doctest.h>

#include "vdk/core/files.hpp"

namespace files = vdk::files;
using vdk::config::IniFile;

namespace {

vdk::job::JobConfig config_of(const std::string& content) {
  return vdk::job::read_config(IniFile::parse(content, "config.ini"));
}

}  // namespace

TEST_CASE("steps run in byte order of their names, whatever the case of their ending") {
  const files::TemporaryDirectory folder;
  for (const char* name : {"9_x.py", "10_A.PY", "a.sql", "Z.Sql", "requirements.txt", "notes.md", "x.py.bak"}) {
    files::write_atomic(folder.path() / name, "");
  }
  std::filesystem::create_directory(folder.path() / "folder.py");
  std::vector<std::string> names;
  for (const auto& step : vdk::job::find_steps(folder.path())) {
    names.push_back(std::string(vdk::job::to_string(step.kind)) + " " + step.name);
  }
  CHECK(names == std::vector<std::string>{"python 10_A.PY", "python 9_x.py", "sql Z.Sql", "sql a.sql"});
}

TEST_CASE("a job's name is that of the folder behind links and dots") {
  const files::TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() / "real-job");
  std::filesystem::create_directory_symlink(folder.path() / "real-job", folder.path() / "link");
  CHECK(vdk::job::load(folder.path() / "link" / ".").name == "real-job");
  CHECK_FALSE(vdk::job::load(folder.path() / "real-job").ini.has_value());
}

TEST_CASE("what is no folder is refused as wrong usage") {
  const files::TemporaryDirectory folder;
  try {
    (void)vdk::job::load(folder.path() / "missing");
    FAIL("accepted");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::usage);
  }
}

TEST_CASE("config.ini is read with the original's meaning") {
  const auto config = config_of(
      "[owner]\nteam = t\n[job]\nschedule_cron = 1 2 * * *\npython_version = 3.10\n[contacts]\n"
      "notified_on_job_success = a@b.c; d@e.f , g@h.i;\nenable_attempt_notifications=Y\n"
      "enable_execution_notifications=0\nnotification_delay_period_minutes=5\n");
  CHECK(config.team == "t");
  CHECK(config.schedule_cron == "1 2 * * *");
  CHECK(config.python_version == "3.10");
  CHECK(config.contacts.notified_on_job_success == std::vector<std::string>{"a@b.c", "d@e.f", "g@h.i"});
  CHECK(config.enable_attempt_notifications);
  CHECK_FALSE(config.enable_execution_notifications);
  CHECK(config.notification_delay_period_minutes == 5);
  CHECK(config.warnings.empty());
}

TEST_CASE("unknown keys are warnings with the nearest known key") {
  const auto config = config_of(
      "[DEFAULT]\nmine = 1\n[job]\nschedule_corn = x\nenable_execution_notifications = "
      "no\n[contact]\nx=1\n[vdk]\nz=1\n");
  CHECK(config.warnings ==
        std::vector<std::string>{
            "config.ini:4: unknown key 'schedule_corn' in [job], did you mean 'schedule_cron'?",
            "config.ini:5: unknown key 'enable_execution_notifications' in [job], it belongs into [contacts]",
            "config.ini:7: unknown section [contact], did you mean [contacts]?"});
}

TEST_CASE("bad values are refused at their place") {
  for (const char* line : {"notification_delay_period_minutes = 0", "notification_delay_period_minutes = 99999999999",
                           "enable_attempt_notifications = maybe"}) {
    CAPTURE(line);
    try {
      (void)config_of(std::string("[contacts]\n") + line + "\n");
      FAIL("accepted");
    } catch (const vdk::Error& error) {
      CHECK(error.kind() == vdk::ErrorKind::configuration);
      REQUIRE(error.location().has_value());
      CHECK(error.location()->line == 2);
      CHECK(error.location()->text == line);
    }
  }
}

TEST_CASE("job names keep to the rule, and a refusal proposes a name that does") {
  CHECK(vdk::job::is_valid_name("abc-12"));
  CHECK(vdk::job::is_valid_name(std::string(50, 'a')));
  for (const std::string& name : {std::string(), std::string("short"), std::string(51, 'a'), std::string("1abcdef"),
                                  std::string("Upper-Case"), std::string("under_score"), std::string("-----a")}) {
    CAPTURE(name);
    CHECK_FALSE(vdk::job::is_valid_name(name));
    try {
      vdk::job::validate_name(name);
      FAIL("accepted");
    } catch (const vdk::Error& error) {
      const std::string& hint = error.text().countermeasures;
      const std::size_t begin = hint.find('\'', hint.find("example")) + 1;
      CHECK(vdk::job::is_valid_name(hint.substr(begin, hint.find('\'', begin) - begin)));
    }
  }
}

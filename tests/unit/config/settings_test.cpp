// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/settings.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "vdk/core/files.hpp"

using vdk::config::IniFile;
using vdk::config::Origin;
using vdk::config::Settings;

namespace {

Settings example() {
  Settings::Inputs inputs;
  inputs.flags = {{"db_default_type", "flag"}};
  inputs.environment = {{"VDK_DB_DEFAULT_TYPE", "prefixed"},
                        {"DB_DEFAULT_TYPE", "bare"},
                        {"TEAM", "shell"},
                        {"vdk_my_key", "lower"},
                        {"VDK_FIRST_USER", "u"},
                        {"VDK_SYSLOG_PORT", "many"}};
  inputs.job_config = IniFile::parse(
      "[owner]\nteam=owners\n[vdk]\ndb_default_type=job\nown-key=1\nlog_execution_result = Yes\n[vdk_First]\nhost=h\n",
      "job/config.ini");
  inputs.user_defaults = IniFile::parse("[defaults]\nteam-name=mine\nrest-api-url=http://h\n", "defaults.ini");
  return Settings(std::move(inputs));
}

}  // namespace

TEST_CASE("precedence is flag, VDK_KEY, KEY, job, user defaults, default") {
  const auto value = example().explain("db_default_type");
  CHECK(value.value == "flag");
  CHECK(value.source == "--db-default-type");
  REQUIRE(value.hides.size() == 3);
  CHECK(value.hides[0].source == "VDK_DB_DEFAULT_TYPE");
  CHECK(value.hides[1].source == "DB_DEFAULT_TYPE");
  CHECK(value.hides[2].source == "job/config.ini:4");
}

TEST_CASE("common names are not read without the prefix") {
  const auto team = example().explain("team");
  CHECK(team.value == "owners");
  CHECK(team.origin == Origin::job);
  REQUIRE(team.hides.size() == 1);
  CHECK(team.hides[0].source == "defaults.ini:2");
}

TEST_CASE("the user defaults give the service's address") {
  CHECK(example().get("control_service_rest_api_url") == "http://h");
}

TEST_CASE("keys nobody declared are kept") {
  const auto values = example().values();
  CHECK(values.at("my_key") == "lower");
  CHECK(values.at("own_key") == "1");
  CHECK(values.at("log_config") == "LOCAL");
  CHECK(values.count("first_user") == 0);
  CHECK(values.count("sqlite_file") == 0);
}

TEST_CASE("sections take their keys from the file and from VDK_SECTION_KEY") {
  const auto settings = example();
  CHECK(settings.sections() == std::vector<std::string>{"first"});
  CHECK(settings.values("first") == std::map<std::string, std::string>{{"host", "h"}, {"user", "u"}});
  CHECK(settings.get("host", "first") == "h");
  CHECK(settings.get("host") == "");
}

TEST_CASE("a value of the wrong type is refused and its origin named") {
  CHECK(example().get_bool("log_execution_result"));
  CHECK(example().get_int("notification_smtp_port") == 25);
  try {
    (void)example().get_int("syslog_port");
    FAIL("accepted");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::configuration);
    CHECK(error.text().why == "The value 'many' from VDK_SYSLOG_PORT is not a whole number.");
  }
}

TEST_CASE("every setting is declared once, in order, with help and a default of its type") {
  std::set<std::string> names;
  std::string previous;
  const Settings defaults(Settings::Inputs{});
  for (const auto& setting : vdk::config::all_settings()) {
    CAPTURE(setting.name);
    CHECK(names.insert(setting.name).second);
    CHECK(previous < setting.name);
    CHECK_FALSE(setting.help.empty());
    CHECK(vdk::config::find_setting(setting.name) == &setting);
    if (setting.type == vdk::config::SettingType::boolean) {
      CHECK_NOTHROW((void)defaults.get_bool(setting.name));
    }
    if (setting.type == vdk::config::SettingType::integer) {
      CHECK_NOTHROW((void)defaults.get_int(setting.name));
    }
    previous = setting.name;
  }
  CHECK(vdk::config::find_setting("no_such") == nullptr);
}

TEST_CASE("user defaults are stored where the original keeps them") {
  const vdk::files::TemporaryDirectory folder;
  setenv("VDK_BASE_CONFIG_FOLDER", folder.path().c_str(), 1);
  CHECK(vdk::config::user_defaults_file() == folder.path() / ".vdk.internal" / "vdk-configuration.ini");
  CHECK(vdk::config::load_user_defaults().team.empty());
  vdk::config::save_user_default("team-name", "t");
  CHECK(vdk::config::load_user_defaults().team == "t");
  vdk::config::save_user_default("team-name", std::nullopt);
  CHECK(vdk::config::load_user_defaults().team.empty());
  unsetenv("VDK_BASE_CONFIG_FOLDER");
}

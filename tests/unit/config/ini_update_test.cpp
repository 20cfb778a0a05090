// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "vdk/config/ini.hpp"
#include "vdk/core/files.hpp"

using vdk::config::update_ini;

namespace {

std::string updated(const std::string& before, const std::string& section, const std::string& key,
                    const std::optional<std::string>& value) {
  const vdk::files::TemporaryDirectory folder;
  const auto path = folder.path() / "f.ini";
  vdk::files::write_atomic(path, before);
  update_ini(path, section, key, value);
  return vdk::files::read(path);
}

}  // namespace

TEST_CASE("setting a key keeps every other byte") {
  CHECK(updated("# c\r\n[a]\r\n\r\nx : 1\r\n  2\r\ny=3\r\n", "a", "X", "9") == "# c\r\n[a]\r\n\r\nX = 9\r\ny=3\r\n");
  CHECK(updated("[a]\nx=1\n\n# b\n[b]\n", "a", "y", "2") == "[a]\nx=1\ny = 2\n\n# b\n[b]\n");
  CHECK(updated("[a]\nx=1", "b", "y", "2") == "[a]\nx=1\n[b]\ny = 2\n");
}

TEST_CASE("removing a key removes its lines only") {
  CHECK(updated("[a]\nx=1\n  2\n\ny=3\n", "a", "x", std::nullopt) == "[a]\n\ny=3\n");
  CHECK(updated("[a]\nx=1\n", "a", "z", std::nullopt) == "[a]\nx=1\n");
}

TEST_CASE("a percent sign comes back as it was stored") {
  const std::string content = updated("", "defaults", "rest-api-url", "http://h/a%20b");
  CHECK(vdk::config::IniFile::parse(content, "f").get("defaults", "rest-api-url") == "http://h/a%20b");
}

TEST_CASE("the file and its folder are made for the owner only") {
  const vdk::files::TemporaryDirectory folder;
  const auto path = folder.path() / "new" / "f.ini";
  update_ini(path, "a", "b", "c");
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  CHECK(vdk::files::read(path) == "[a]\nb = c\n");
}

TEST_CASE("a value that would become two lines is refused") {
  const vdk::files::TemporaryDirectory folder;
  CHECK_THROWS_AS(update_ini(folder.path() / "f.ini", "a", "b", "c\nd"), vdk::Error);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "f.ini"));
}

TEST_CASE("a broken file is left as it is") {
  const vdk::files::TemporaryDirectory folder;
  vdk::files::write_atomic(folder.path() / "f.ini", "broken\n");
  CHECK_THROWS_AS(update_ini(folder.path() / "f.ini", "a", "b", "c"), vdk::Error);
  CHECK(vdk::files::read(folder.path() / "f.ini") == "broken\n");
}

// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/ini.hpp"

#include <doctest/doctest.h>

using vdk::Error;
using vdk::config::IniFile;

namespace {

Error refused(std::string_view content) {
  try {
    (void)IniFile::parse(content, "config.ini");
  } catch (const Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::configuration);
    REQUIRE(error.location().has_value());
    CHECK(error.location()->file == "config.ini");
    CHECK_FALSE(error.text().countermeasures.empty());
    return error;
  }
  FAIL("the content was accepted");
  throw;
}

void check_place(const Error& error, std::size_t line, std::size_t column) {
  CHECK(error.location()->line == line);
  CHECK(error.location()->column == column);
}

}  // namespace

TEST_CASE("values longer than inih's line limit stay whole") {
  const std::string value(5000, 'x');
  CHECK(IniFile::parse("[a]\nkey=" + value + "\nafter=1\n", "f").get("a", "key") == value);
}

TEST_CASE("semicolons inside values are no comments") {
  const auto ini = IniFile::parse("[contacts]\nlist = a@b.c ; d@e.f;g # h\n", "f");
  CHECK(ini.get("contacts", "list") == "a@b.c ; d@e.f;g # h");
}

TEST_CASE("names longer than inih's name limit stay whole") {
  const std::string name(120, 'n');
  CHECK(IniFile::parse("[" + name + "]\n" + name + " = 1\n", "f").get(name, name) == "1");
}

TEST_CASE("deeper lines continue a value, empty lines inside it count, comments do not") {
  const auto ini = IniFile::parse("[a]\nkey = 1\n  2\n\n  # no\n  3\n\nnext = x\n", "f");
  CHECK(ini.get("a", "key") == "1\n2\n\n3");
  CHECK(ini.get("a", "next") == "x");
}

TEST_CASE("byte order mark and CRLF are read") {
  const auto ini = IniFile::parse("\xEF\xBB\xBF[a]\r\nKey : v\r\n", "f");
  CHECK(ini.get("a", "KEY") == "v");
  CHECK(ini.find("a", "key")->location.line == 2);
  CHECK(ini.find("a", "key")->location.column == 7);
}

TEST_CASE("references are replaced and defaults inherited") {
  const auto ini = IniFile::parse("[DEFAULT]\nhome=/h\ndata=%(home)s/d\n[a]\nhome=/a\nx=%(data)s 100%%\n[b]\n", "f");
  CHECK(ini.get("a", "x") == "/a/d 100%");
  CHECK(ini.get("b", "data") == "/h/d");
  CHECK(ini.sections() == std::vector<std::string>{"a", "b"});
  CHECK(ini.keys("a") == std::vector<std::string>{"home", "x", "data"});
  CHECK_FALSE(ini.get("b", "x").has_value());
}

TEST_CASE("a bare percent sign is refused at its place") {
  check_place(refused("[a]\nkey = 50% off\n"), 2, 9);
  check_place(refused("[a]\nkey = 1\n    2 %\n"), 3, 7);
  check_place(refused("[a]\nkey = %(nowhere)s\n"), 2, 7);
}

TEST_CASE("references in a circle are refused") { check_place(refused("[a]\nx=%(y)s\ny=%(x)s\n"), 2, 3); }

TEST_CASE("references that blow a value up are refused") {
  std::string content = "[a]\nv0=" + std::string(1000, '.') + "%%\n";
  for (int i = 1; i <= 9; ++i) {
    content += "v" + std::to_string(i) + "=";
    for (int j = 0; j < 50; ++j) {
      content += "%(v" + std::to_string(i - 1) + ")s";
    }
    content += "\n";
  }
  CHECK(refused(content).text().why.find("grows") != std::string::npos);
}

TEST_CASE("duplicates are refused at the second one") {
  check_place(refused("[a]\nkey=1\nKEY=2\n"), 3, 1);
  check_place(refused("[a]\n[b]\n[a]\n"), 3, 2);
}

TEST_CASE("lines that are neither header nor option are refused") {
  check_place(refused("key=1\n"), 1, 1);
  check_place(refused("[a]\n\nbare words\n"), 3, 1);
  check_place(refused("[a]\n= value\n"), 2, 1);
  check_place(refused("[a\n"), 1, 1);
  check_place(refused(std::string("[a]\nk=x\0y\n", 10)), 2, 4);
  check_place(refused("[a]\nk=\xff\n"), 2, 3);
}

TEST_CASE("the error carries the source line") {
  CHECK(refused("[a]\n  bare words\n").location()->text == "  bare words");
}

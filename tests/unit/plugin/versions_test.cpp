// SPDX-License-Identifier: Apache-2.0
#include "plugin/config/versions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vdk/core/error.hpp"
#include "vdk/plugin/install.hpp"

using namespace vdk::plugin;

TEST_CASE("versions are ordered as semver says, other texts stand before them") {
  const std::vector<std::string> ordered = {"latest",        "nightly",          "0.9.0",      "1.0.0-alpha",
                                            "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
                                            "1.0.0-beta.11", "1.0.0-rc.1",       "1.0.0",      "v1.0.1",
                                            "1.2",           "1.2.0.1",          "1.10.0",     "10.0.0"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      const int expected = i < j ? -1 : i > j ? 1 : 0;
      CHECK_MESSAGE(compare_versions(ordered[i], ordered[j]) == expected, ordered[i], " ", ordered[j]);
    }
  }
  CHECK(compare_versions("1.0.0+a", "1.0.0+b") == 0);
  CHECK(compare_versions("1.0", "1.0.0") == 0);
  CHECK(compare_versions("1.0.0-9", "1.0.0-10") < 0);
  CHECK(compare_versions("99999999999999999999999.0", "1.0") < 0);  // no number that fits: a text
}

TEST_CASE("constraints") {
  struct Row {
    std::string constraint;
    std::vector<std::string> fitting;
    std::vector<std::string> others;
  };
  const std::vector<Row> rows = {
      {"1.2.3", {"1.2.3", "v1.2.3"}, {"1.2.4", "1.2.3-rc1"}},
      {"^1.2", {"1.2.0", "1.99.9"}, {"1.1.9", "2.0.0", "2.0.0-rc.1", "1.3.0-beta"}},
      {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0", "0.2.2"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.4"}},
      {"^0", {"0.9.9"}, {"1.0.0"}},
      {"~1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.3.0", "1.2.2"}},
      {"~1", {"1.9.0"}, {"2.0.0"}},
      {">=1, <2", {"1.0.0", "1.9.9"}, {"2.0.0", "0.9.9", "2.0.0-rc1"}},
      {">= 1 <2", {"1.0.0"}, {"2.0.0"}},
      {"1.x", {"1.0.0", "1.9.9"}, {"2.0.0", "0.1.0"}},
      {"1.2.*", {"1.2.7"}, {"1.3.0"}},
      {"*", {"0.0.1", "9.9.9"}, {"1.0.0-rc1"}},
      {"!=1.5.0, ^1", {"1.4.0"}, {"1.5.0"}},
      {"^1 || ^3", {"1.1.0", "3.0.0"}, {"2.0.0"}},
      {">=1.0.0-beta.1 <2", {"1.0.0-beta.2", "1.0.0", "1.5.0"}, {"1.0.0-alpha", "1.5.0-beta.1"}},
      {">1.x", {"2.0.0"}, {"1.9.9", "0.1.0"}},
      {"<=1.x", {"1.9.9", "0.1.0"}, {"2.0.0"}},
      {"latest", {"latest"}, {"1.0.0", "newest"}},
  };
  for (const Row& row : rows) {
    for (const std::string& version : row.fitting) {
      CHECK_MESSAGE(satisfies(version, row.constraint), version, " in ", row.constraint);
    }
    for (const std::string& version : row.others) {
      CHECK_MESSAGE(!satisfies(version, row.constraint), version, " not in ", row.constraint);
    }
  }
}

TEST_CASE("a constraint that cannot be read says why") {
  CHECK(constraint_mistake("^").value() == "a version is missing after '^'");
  CHECK(constraint_mistake(">=one").value() == "'one' is no version such as 1.2.3 or 1.x");
  CHECK(constraint_mistake("^1 ||").has_value());
  CHECK_FALSE(constraint_mistake(">=1.2, <3 || 7.x"));
  CHECK_THROWS_AS((void)satisfies("1.0", ">=one"), vdk::Error);
}

TEST_CASE("the newest fitting version is found, never a pre-release by accident") {
  const std::vector<std::string> all = {"0.9.0", "0.10.0", "1.0.0-rc.1", "latest", "../evil"};
  CHECK(newest(all, "").value() == "0.10.0");
  CHECK(newest(all, "^0.9").value() == "0.9.0");
  CHECK(newest(all, ">=1.0.0-rc.0").value() == "1.0.0-rc.1");
  CHECK_FALSE(newest(all, "^2"));
}

TEST_CASE("what may become a part of a path") {
  for (const char* name : {"a", "bq2bq", "sql-to-sql", "a_b", "com10"}) {
    CHECK_MESSAGE(is_plugin_name(name), name);
  }
  for (const char* name : {"", "A", "1a", "a/b", "a..b", "..", "a b", "con", "nul", "com1", "-a", "ä"}) {
    CHECK_MESSAGE(!is_plugin_name(name), name);
  }
  CHECK_FALSE(is_plugin_name(std::string(65, 'a')));
  for (const char* version : {"1.2.3", "latest", "1.0.0-rc.1+b5", "2024_01"}) {
    CHECK_MESSAGE(is_plugin_version(version), version);
  }
  for (const char* version : {"", "..", "1..2", ".1", "-1", "1/2", "1 2", "1\\2", "1:2"}) {
    CHECK_MESSAGE(!is_plugin_version(version), version);
  }
}

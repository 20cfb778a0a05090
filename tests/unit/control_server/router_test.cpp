// SPDX-License-Identifier: Apache-2.0
#include "control/server/router.hpp"

#include <doctest/doctest.h>

using namespace vdk::control::rest;

TEST_CASE("a path finds its route and its decoded variables") {
  const Router router(
      {{"GET", "/a/{x}", {}, {}, true}, {"PUT", "/a/{x}", {}, {}, true}, {"GET", "/a/{x}/b", {}, {}, true}});
  const Match match = router.find("GET", "/a/A%20B%2Fc");
  REQUIRE(match.route != nullptr);
  CHECK(match.route->path == "/a/{x}");
  CHECK(match.segments.at("x") == "A B/c");
  CHECK(router.find("HEAD", "/a/1/b").route->path == "/a/{x}/b");
  CHECK(router.find("GET", "/a/").route == nullptr);
  CHECK(router.find("GET", "/a/1/").route == nullptr);
  CHECK(router.find("GET", "/").methods.empty());
  CHECK(router.find("DELETE", "/a/1").methods == std::vector<std::string_view>{"GET", "PUT"});
  CHECK_THROWS_AS((void)router.find("GET", "/a/%ff"), vdk::Error);
  CHECK_THROWS_AS((void)router.find("GET", "/a/%0a"), vdk::Error);
}

TEST_CASE("only plain UTF-8 comes out of percent-encoding") {
  CHECK(percent_decode("a+b%C3%A9", true) == "a b\xc3\xa9");
  CHECK(percent_decode("a+b", false) == "a+b");
  CHECK(percent_decode("%0A", true) == "\n");
  for (const char* bad : {"%", "%4", "%zz", "%00", "%C3", "%ED%A0%80"}) {
    CAPTURE(bad);
    CHECK_FALSE(percent_decode(bad, true).has_value());
  }
}

TEST_CASE("a query keeps repeated names") {
  const auto query = parse_query("s=a&s=b&&empty=&flag&q=%7B1%3D2%7D");
  CHECK(query.count("s") == 2);
  CHECK(query.find("empty")->second.empty());
  CHECK(query.count("flag") == 1);
  CHECK(query.find("q")->second == "{1=2}");
  CHECK_THROWS_AS((void)parse_query("a=%ff"), vdk::Error);
}

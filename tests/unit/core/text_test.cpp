// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/text.hpp"

#include <doctest/doctest.h>

using namespace vdk;

TEST_CASE("lines end at LF and CRLF, and a final line end adds no empty line") {
  CHECK(text::lines("a\r\nb\n\nc") == std::vector<std::string>{"a", "b", "", "c"});
  CHECK(text::lines("a\n") == std::vector<std::string>{"a"});
  CHECK(text::lines("").empty());
}

TEST_CASE("nearest finds typing mistakes and nothing else") {
  const std::vector<std::string> commands = {"create", "deploy", "delete", "execute", "list"};
  CHECK(text::nearest("depoly", commands) == "deploy");
  CHECK(text::nearest("lst", commands) == "list");
  CHECK_FALSE(text::nearest("frobnicate", commands).has_value());
}

TEST_CASE("edit distance counts a swap of neighbours as one") {
  CHECK(text::edit_distance("schedule_corn", "schedule_cron") == 1);
  CHECK(text::edit_distance("", "abc") == 3);
  CHECK(text::edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("display width counts columns of a terminal, not bytes") {
  CHECK(text::display_width("abc") == 3);
  CHECK(text::display_width("日本") == 4);
  CHECK(text::display_width("e\xCC\x81") == 1);  // e + combining acute
  CHECK(text::display_width("é") == 1);
  CHECK(text::display_width("🚀") == 2);
}

TEST_CASE("UTF-8 check refuses overlong forms, surrogates and cut sequences") {
  CHECK(text::is_valid_utf8("grün 日本 🚀"));
  CHECK_FALSE(text::is_valid_utf8("\xC0\xAF"));
  CHECK_FALSE(text::is_valid_utf8("\xED\xA0\x80"));
  CHECK_FALSE(text::is_valid_utf8("\xE6\x97"));
  CHECK_FALSE(text::is_valid_utf8("\xF4\x90\x80\x80"));
}

TEST_CASE("booleans and integers are read whole or not at all") {
  CHECK(text::parse_bool(" Yes ") == true);
  CHECK(text::parse_bool("off") == false);
  CHECK_FALSE(text::parse_bool("maybe").has_value());
  CHECK(text::parse_int("+12") == 12);
  CHECK_FALSE(text::parse_int("12x").has_value());
  CHECK_FALSE(text::parse_int("99999999999999999999").has_value());
}

TEST_CASE("shell quoting survives quotes and blanks") {
  CHECK(text::shell_quote("plain-1.0") == "plain-1.0");
  CHECK(text::shell_quote("it's") == "'it'\\''s'");
  CHECK(text::shell_quote("") == "''");
}

// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using vdk::Error;
using vdk::ErrorKind;

TEST_CASE("an error without a place prints its four parts in order") {
  const Error error(ErrorKind::not_found, {.what = "cannot find the job 'a'",
                                           .why = "no job has this name",
                                           .consequences = "Nothing was deployed.",
                                           .countermeasures = "Create it with `vdk create -n a`."});
  CHECK(vdk::format_error(error) ==
        "error: cannot find the job 'a'\n"
        "why: no job has this name\n"
        "consequences: Nothing was deployed.\n"
        "countermeasures: Create it with `vdk create -n a`.\n");
  CHECK(std::string(error.what()) == "cannot find the job 'a': no job has this name");
}

TEST_CASE("an error in a file shows the line and a caret below the column, wide characters counted as two columns") {
  const Error error(
      ErrorKind::configuration, {.what = "bad value"},
      vdk::SourceLocation{.file = "config.ini", .line = 3, .column = 11, .length = 2, .text = "k = 日本zz"});
  // Bytes 1-4 are ASCII, then two characters of three bytes each: the first z is byte 11, terminal column 9.
  CHECK(vdk::format_error(error) ==
        "error: bad value\n"
        "  --> config.ini:3:11\n"
        "  k = 日本zz\n"
        "          ^^\n");
}

TEST_CASE("a place without a file shows the text and the caret only") {
  const Error error(ErrorKind::configuration, {.what = "bad schedule", .why = "no minute"},
                    vdk::SourceLocation{.file = "", .line = 1, .column = 3, .length = 2, .text = "* 99 *"});
  CHECK(vdk::format_error(error) ==
        "error: bad schedule\n"
        "  * 99 *\n"
        "    ^^\n"
        "why: no minute\n");
}

TEST_CASE("a very long source line is cut around the caret") {
  const std::string line = std::string(500, 'a') + "X" + std::string(500, 'b');
  const Error error(ErrorKind::configuration, {.what = "w"},
                    vdk::SourceLocation{.file = "f", .line = 1, .column = 501, .length = 1, .text = line});
  const std::string text = vdk::format_error(error);
  CHECK(text.size() < 400);
  const auto x = text.find('X');
  const auto caret = text.find('^');
  REQUIRE(x != std::string::npos);
  REQUIRE(caret != std::string::npos);
  const auto line_start = text.rfind('\n', x);
  const auto caret_start = text.rfind('\n', caret);
  CHECK(x - line_start == caret - caret_start);
}

TEST_CASE("every kind has the documented exit code") {
  CHECK(vdk::exit_code(ErrorKind::operation) == 1);
  CHECK(vdk::exit_code(ErrorKind::user_code) == 1);
  CHECK(vdk::exit_code(ErrorKind::usage) == 2);
  CHECK(vdk::exit_code(ErrorKind::configuration) == 2);
  CHECK(vdk::exit_code(ErrorKind::login) == 4);
  CHECK(vdk::exit_code(ErrorKind::not_found) == 5);
  CHECK(vdk::exit_code(ErrorKind::conflict) == 6);
  CHECK(vdk::exit_code(ErrorKind::timeout) == 7);
  CHECK(vdk::exit_code(ErrorKind::unreachable) == 8);
  CHECK(vdk::exit_code(ErrorKind::internal) == 70);
  CHECK(vdk::exit_code(ErrorKind::interrupted) == 130);
}

TEST_CASE("a system error carries the system's words") {
  CHECK(vdk::system_error("cannot open 'x'", EACCES).text().why == "Permission denied");
}

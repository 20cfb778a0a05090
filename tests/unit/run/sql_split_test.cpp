// SPDX-License-Identifier: Apache-2.0
#include "run/sql/split.hpp"

#include <doctest/doctest.h>

namespace vdk::run {

namespace {

std::vector<std::string> parts(std::string_view sql, bool backslashes = false) {
  std::vector<std::string> texts;
  for (const StatementPlace& place : split_statements(sql, backslashes)) {
    texts.emplace_back(sql.substr(place.start, place.end - place.start));
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("semicolons end statements; blanks and comments alone are none") {
  CHECK(parts("select 1; select 2") == Texts{"select 1", "select 2"});
  CHECK(parts(" ;; \n-- only ; this\n/* and ; this */;") == Texts{});
  CHECK(parts("-- before\n select 1 -- behind;\n ;") == Texts{"select 1 -- behind;"});
  CHECK(parts("") == Texts{});
}

TEST_CASE("strings and quoted names keep their semicolons") {
  CHECK(parts("select 'a;''b;' ; select \"c;\"\"d;\"") == Texts{"select 'a;''b;'", "select \"c;\"\"d;\""});
  CHECK(parts("select 'a\\'; select 2") == Texts{"select 'a\\'", "select 2"});
  CHECK(parts("select E'a\\';b'; select 2") == Texts{"select E'a\\';b'", "select 2"});
  CHECK(parts("select e'a''b\\';c'; select 2") == Texts{"select e'a''b\\';c'", "select 2"});
  CHECK(parts("select 'a\\';b'; select 2", true) == Texts{"select 'a\\';b'", "select 2"});
  CHECK(parts("select somee'a\\'; select 2") == Texts{"select somee'a\\'", "select 2"});
  CHECK(parts("select 'open ; to the end") == Texts{"select 'open ; to the end"});
}

TEST_CASE("dollar quotes end at their own tag; parameters and names with a dollar are none") {
  CHECK(parts("do $$ begin; end $$; select 2") == Texts{"do $$ begin; end $$", "select 2"});
  CHECK(parts("select $a$ ; $$ ; $b$ ; $a$; select 2") == Texts{"select $a$ ; $$ ; $b$ ; $a$", "select 2"});
  CHECK(parts("select $1; select a$b$; select 3") == Texts{"select $1", "select a$b$", "select 3"});
  CHECK(parts("select $ä$;$ä$; select 2") == Texts{"select $ä$;$ä$", "select 2"});
}

TEST_CASE("comments nest") {
  CHECK(parts("/* a /* ; */ ; */ select 1; select /* ; /* */ */ 2") == Texts{"select 1", "select /* ; /* */ */ 2"});
  CHECK(parts("select 1; /* no end /* */ ; select 2") == Texts{"select 1", "/* no end /* */ ; select 2"});
}

TEST_CASE("parentheses and the bodies of routines hold statements together") {
  CHECK(parts("create rule r as on insert to t do also (delete from a; delete from b); select 2") ==
        Texts{"create rule r as on insert to t do also (delete from a; delete from b)", "select 2"});
  const std::string body =
      "create or replace function f(a int) returns int language sql begin atomic select case when a > 1 then 2 end; "
      "select 3; end";
  CHECK(parts(body + "; select 2") == Texts{body, "select 2"});
  CHECK(parts("begin; select 1; end; select 2") == Texts{"begin", "select 1", "end", "select 2"});
  CHECK(parts("create table end_of(a int); select 2").size() == 2);
}

TEST_CASE("a statement's first word is found behind comments") {
  CHECK(first_word(" -- x\n/* y */ BEGIN work") == "begin");
  CHECK(first_word("(select 1)").empty());
  CHECK(first_word("").empty());
}

}  // namespace vdk::run

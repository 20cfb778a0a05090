// SPDX-License-Identifier: Apache-2.0
#include "run/sql/form.hpp"

#include <doctest/doctest.h>

namespace vdk::run {

TEST_CASE("comments and white space do not count in SQL") {
  CHECK(sql_form("select  1 -- one\n , 2;\n\n") == sql_form("/* two */ select 1 , 2;"));
  CHECK(sql_form("select 1") != sql_form("select1"));
}

TEST_CASE("what may mean something stays as it is") {
  CHECK(sql_form("select 'a  b'") != sql_form("select 'a b'"));
  CHECK(sql_form("select \"a -- b\"") != sql_form("select \"a"));
  CHECK(sql_form("select '--' , 1 -- x") == sql_form("select '--' , 1"));
  CHECK(sql_form("select 1 -- {x}\n") != sql_form("select 1 -- {y}\n"));  // a value may end the comment
  CHECK(sql_form("select 1 /* {x} */'a  b'") != sql_form("select 1 /* {x} */'a b'"));
  CHECK(sql_form("select $$a  b$$") != sql_form("select $$a b$$"));
  CHECK(sql_form("select {a b}") != sql_form("select {a  b}"));
}

TEST_CASE("lines that choose a database are not drawn into the text") {
  CHECK(sql_form("[one]\nselect 1") == sql_form("[one]\n\n  select 1"));
  CHECK(sql_form("select 1\n[x]\n") != sql_form("select 1 [x]\n"));
  CHECK(sql_form("[x]\ny") != sql_form("[x] y"));
}

TEST_CASE("the names in braces are found") {
  CHECK(placeholders("select {a}, '{b c}', {}, {{d}} {e") == std::set<std::string>{"a", "b c", "d"});
}

}  // namespace vdk::run

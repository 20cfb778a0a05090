// SPDX-License-Identifier: Apache-2.0
#include "run/report/output_splitter.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "run/sql/script.hpp"

namespace vdk::run {

namespace {

struct Split {
  std::string bytes;
  std::vector<std::string> notes;
};

Split split(const std::string& text, std::size_t chunk) {
  Split found;
  OutputSplitter splitter(
      "\x1eMARK", [&](std::string_view bytes) { found.bytes += bytes; },
      [&](std::string_view note) { found.notes.emplace_back(note); });
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    splitter.feed(std::string_view(text).substr(at, chunk));
  }
  splitter.end();
  return found;
}

}  // namespace

TEST_CASE("notes are taken out of a stream wherever it is cut") {
  const std::string text = "a\x1eMARKfirst\nb\n\x1e\x1eMAR\x1eMARKsecond\n\x1eMARK\nc\x1e";
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    const Split found = split(text, chunk);
    CHECK(found.bytes == "ab\n\x1e\x1eMARc\x1e");
    CHECK(found.notes == std::vector<std::string>{"first", "second", ""});
  }
}

TEST_CASE("a mark without a line end is passed on in the end, and one that never ends at once") {
  CHECK(split("x\x1eMARKy", 3).bytes == "x\x1eMARKy");
  const std::string huge = "\x1eMARK" + std::string(10U << 20U, 'z');
  CHECK(split(huge, 1U << 16U).bytes == huge);
}

TEST_CASE("statements of a script are counted as SQLite ends them") {
  CHECK(count_statements("") == 0);
  CHECK(count_statements("-- nothing; /* here */\n;;") == 0);
  CHECK(count_statements("select 1; select ';' -- x; y\n; select 2") == 3);
  CHECK(count_statements("create trigger a after insert on t begin select 1; select 2; end; select 3;") == 2);
}

}  // namespace vdk::run

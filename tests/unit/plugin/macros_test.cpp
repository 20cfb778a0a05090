// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/macros.hpp"

#include <doctest/doctest.h>

#include "plugin/macros/go_time.hpp"

using namespace vdk;
using plugin::macros::Values;

namespace {

const Values& values() {
  static const Values all = {{"DSTART", "2026-01-31T00:00:00Z"}, {"DEND", "2026-02-01T00:00:00Z"},
                             {"secret.PASSWORD", "p'w"},         {"proj.region", "eu"},
                             {"GLOBAL__region", "eu"},           {"args.day", ""}};
  return all;
}

std::string render(const std::string& text) { return plugin::macros::render(text, values(), "x.sql"); }

std::string fault(const std::string& text) {
  try {
    (void)render(text);
  } catch (const Error& error) {
    REQUIRE(error.location());
    return std::to_string(error.location()->line) + ":" + std::to_string(error.location()->column) + " " +
           error.text().why;
  }
  return "no error";
}

std::string checked(const std::string& text) {
  const auto mistakes = plugin::macros::check(text);
  return mistakes.empty() ? "fine" : mistakes.front().message;
}

}  // namespace

TEST_CASE("macros give values, through pipes, parentheses and functions") {
  CHECK(render("a {{.DSTART}} b") == "a 2026-01-31T00:00:00Z b");
  CHECK(render("{{ .DSTART | Date }}") == "2026-01-31");
  CHECK(render("{{ Date .DEND }}/{{ .proj.region }}/{{ .GLOBAL__region }}") == "2026-02-01/eu/eu");
  CHECK(render("{{ .DSTART | Date | replace \"-\" \"\" }}") == "20260131");
  CHECK(render("{{ trunc 7 .DSTART }}") == "2026-01");
  CHECK(render("{{ list \"a\" .proj.region 3 | join \"+\" }}") == "a+eu+3");
  CHECK(render("{{ toDate \"2006-01-02T15:04:05Z07:00\" .DSTART | date_modify \"-24h\" | date \"2006/01/02\" }}") ==
        "2026/01/30");
  CHECK(render("{{ unixEpoch (toDate `2006-01-02` \"1970-01-02\") }}") == "86400");
  CHECK(render("{{ .DSTART | date_modify \"36h30m\" }}") == "2026-02-01 12:30:00 +0000 UTC");
  CHECK(render("no macro } here {") == "no macro } here {");
}

TEST_CASE("space is trimmed where the marks ask for it, comments vanish, branches are chosen") {
  CHECK(render("a  {{- \"b\" -}}  c {{/* not } this */}}d") == "abc d");
  CHECK(render("{{if eq .proj.region \"eu\"}}E{{else}}U{{end}}!") == "E!");
  CHECK(render("{{if .args.day}}D{{else if ne .proj.region \"eu\"}}X{{else}}N{{end}}") == "N");
  CHECK(render("{{if false}}{{.proj.nothing}}{{end}}ok") == "ok");
  CHECK(render("{{if and .proj.region (not .args.day)}}yes{{end}}") == "yes");
}

TEST_CASE("what has no value is an error with its place, and never '<no value>'") {
  CHECK(fault("select\n  '{{ .DSTRAT }}'") == "2:7 there is no value .DSTRAT");
  CHECK(fault("{{ .secret.TOKEN }}") == "1:4 there is no value .secret.TOKEN");
  CHECK(fault("{{ dtae .DSTART }}") == "1:4 there is no function 'dtae'");
  CHECK(fault("{{ .DSTART") == "1:1 the macro has no end");
  CHECK(fault("{{ }}") == "1:1 the macro is empty");
  CHECK(fault("{{ range .x }}{{end}}") == "1:4 'range' of Go's templates is not supported here");
  CHECK(fault("{{ .DSTART | .DEND }}") == "1:14 a value cannot take what is piped into it");
  CHECK(fault("{{ trunc .DSTART }}") == "1:4 'trunc' has 1 arguments");
  CHECK(fault("{{ Date \"yesterday\" }}") ==
        "1:4 'Date' cannot be computed: 'yesterday' is no time such as 2026-01-31T00:00:00Z");
  CHECK(fault("{{ if .DSTART }}a") == "1:1 'if' without 'end'");
  CHECK(fault("a{{ end }}") == "1:2 'end' without 'if'");
  CHECK(fault("{{ .task.a-b }}") == "1:4 a name in a macro has letters, digits and _ only");
  CHECK(fault("{{ \"open }}") == "1:4 the text has no closing quote");
}

TEST_CASE("a check without values finds syntax, functions and names that no run has") {
  CHECK(checked("{{ .secret.ANY }}{{ .proj.x }}{{ .inst.DSTART }}{{ .task.T }}{{ .TASK__T }}{{ .args.a }}") == "fine");
  CHECK(checked("{{ .DSTART | date_modify \"x\" }}") == "fine");
  CHECK(checked("{{ ref('model') }}") == "there is no function 'ref'");
  CHECK(checked("{{ .Whatever }}") == "there is no value .Whatever");
}

TEST_CASE("deep nesting is refused and does not exhaust the stack") {
  CHECK(fault("{{ " + std::string(100'000, '(') + " }}").ends_with("too many nested parentheses"));
  std::string ifs;
  for (int i = 0; i < 10'000; ++i) {
    ifs += "{{if true}}";
  }
  CHECK(fault(ifs).ends_with("too many nested 'if'"));
}

TEST_CASE("any text is rendered or refused with a place inside it") {
  const std::vector<std::string> words = {
      "{{", "}}", "-", " ",  ".DSTART", "|",  "Date", "(",    ")",    "\"", "`",   "if",   "else", "end",  ".",
      "$x", "\n", "é", "/*", "*/",      "eq", "list", "{{- ", " -}}", "99", ".a.", "true", "\\",   "join", "range"};
  std::uint32_t state = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "{{";
    for (int i = 0; i < 12; ++i) {
      state = state * 1664525U + 1013904223U;
      text += words[(state >> 16U) % words.size()];
    }
    for (const auto& mistake : plugin::macros::check(text)) {
      REQUIRE(mistake.offset <= text.size());
      REQUIRE_FALSE(mistake.message.empty());
    }
    try {
      (void)render(text);
    } catch (const Error& error) {
      REQUIRE(error.location());
    }
  }
}

TEST_CASE("layouts of times are Go's") {
  const TimePoint time = parse_time("2026-02-03T04:05:06.789Z").value();
  using plugin::go_time::format;
  CHECK(format("Mon, 02 Jan 2006 15:04:05 MST", time) == "Tue, 03 Feb 2026 04:05:06 UTC");
  CHECK(format("2006.01.02 3:04PM", time) == "2026.02.03 4:05AM");
  CHECK(format("20060102-150405.000", time) == "20260203-040506.789");
  CHECK(format("Monday January _2 06 -0700 Z07:00", time) == "Tuesday February  3 26 +0000 Z");
  using plugin::go_time::parse;
  CHECK(parse("2006-01-02T15:04:05Z07:00", "2026-02-03T06:05:06.789+02:00") == time);
  CHECK_FALSE(parse("2006-01-02", "2026-02-30"));
  CHECK_FALSE(parse("2006-01-02", "2026-02-03x"));
  CHECK(plugin::go_time::parse_duration("-1h30m") == std::chrono::minutes(-90));
  CHECK_FALSE(plugin::go_time::parse_duration("1d"));
  CHECK(plugin::go_time::rfc3339(time) == "2026-02-03T04:05:06.789Z");
}

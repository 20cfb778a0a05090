// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/survey.hpp"

#include <doctest/doctest.h>

#include "vdk/core/files.hpp"
#include "vdk/plugin/executor.hpp"

using namespace vdk;
using plugin::Question;
using Pairs = std::vector<std::pair<std::string, std::string>>;

namespace {

plugin::YamlPlugin sample() {
  plugin::YamlPlugin made;
  Question mode;
  mode.name = "MODE";
  mode.type = plugin::QuestionType::select;
  mode.options = {"a", "b"};
  mode.required = true;
  Question inner;
  inner.name = "INNER";
  inner.required = true;
  mode.branches = {{"b", {inner}}};
  Question late;
  late.name = "LATE";
  late.default_value = "x";
  late.when = plugin::Condition{"mode", plugin::Condition::Operator::is_not, {"b"}};
  made.questions = {mode, late};
  made.default_config = {{"late", "insists", true}, {"Mode", "loses", false}, {"MORE", "m", false}};
  return made;
}

std::string utc(const plugin::Window& window, const char* scheduled) {
  const plugin::Interval found = plugin::interval(window, parse_time(scheduled).value());
  return format_time(found.start).substr(0, 16) + " " + format_time(found.end).substr(0, 16);
}

}  // namespace

TEST_CASE("branches and conditions decide what is asked, depth first") {
  plugin::SurveyInputs inputs;
  inputs.given = {{"mode", {"b", "t"}}, {"INNER", {"i", "t"}}};
  plugin::SurveyResult result = plugin::survey(sample(), inputs);
  CHECK(result.problems.empty());
  CHECK(result.answers == Pairs{{"MODE", "b"}, {"INNER", "i"}});
  inputs.given = {{"MODE", {"a", "t"}}, {"INNER", {"i", "t"}}};
  result = plugin::survey(sample(), inputs);
  CHECK(result.answers == Pairs{{"MODE", "a"}, {"LATE", "x"}});
  CHECK(result.unused == std::vector<std::string>{"INNER"});
}

TEST_CASE("a person is asked again until the answer is right") {
  std::vector<std::string> typed = {"c", "b", "", "in"};
  std::vector<std::string> mistakes;
  plugin::SurveyInputs inputs;
  inputs.ask = [&](const Question&, const std::string&, const std::string& mistake) {
    mistakes.push_back(mistake);
    const std::string next = typed.front();
    typed.erase(typed.begin());
    return next;
  };
  const plugin::SurveyResult result = plugin::survey(sample(), inputs);
  CHECK(result.answers == Pairs{{"MODE", "b"}, {"INNER", "in"}});
  CHECK(mistakes == std::vector<std::string>{"", "'c' is none of 'a' and 'b'", "", "an answer is needed"});
}

TEST_CASE("an answer wins over the default configuration unless it is empty or the default insists") {
  CHECK(plugin::make_config(sample(), {{"MODE", "a"}, {"LATE", "x"}}) ==
        Pairs{{"MODE", "a"}, {"LATE", "insists"}, {"MORE", "m"}});
  CHECK(plugin::make_config(sample(), {{"MODE", ""}}) == Pairs{{"MODE", "loses"}, {"late", "insists"}, {"MORE", "m"}});
}

TEST_CASE("answers that are written are read back, and mistakes in their file have lines") {
  const files::TemporaryDirectory folder;
  const auto file = folder.path() / "a.yaml";
  files::write_atomic(file, plugin::write_answers({{"A", "yes"}, {"B", "x: \"y\"\n{{.z}} é"}, {"h.C", ""}}));
  const auto answers = plugin::read_answers(file);
  CHECK(answers.at("A").value == "yes");
  CHECK(answers.at("B").value == "x: \"y\"\n{{.z}} é");
  CHECK(answers.at("h.C").source == "a.yaml:3");
  files::write_atomic(file, "A: {b: c}\na: 2\n");
  try {
    (void)plugin::read_answers(file);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.text().why.find("1:4: the answer to 'A' must be one value") != std::string::npos);
    CHECK(error.text().why.find("2:1: a second answer to 'a'") != std::string::npos);
  }
}

TEST_CASE("a job.yaml is read back as it was written, whatever its texts hold") {
  plugin::PluginJob job;
  job.name = "my-job";
  job.task.name = "p";
  job.task.version = "1.0";
  job.task.entrypoint.script = "set -e\n\nif true; then\n  echo \"a: b\" # c\nfi\n";
  job.task.config = {{"A", " space "}, {"B", "no"},           {"C", "a\nb\n"},  {"D", "1e5"},
                     {"E", ""},        {"F", "'\"\\\t#: {}"}, {"G", "x\n\n y"}, {"H", "\n lead"}};
  plugin::Unit hook = job.task;
  hook.name = "h";
  hook.hook_type = "post";
  hook.depends_on = {"g"};
  hook.entrypoint.script = "one line";
  job.hooks = {hook};
  job.allowed_variables = {"PATH"};
  const files::TemporaryDirectory folder;
  files::write_atomic(folder.path() / "job.yaml", plugin::to_yaml(job));
  const plugin::PluginJob read = plugin::load_plugin_job(folder.path());
  CHECK(read.task.config == job.task.config);
  CHECK(read.task.entrypoint.script == job.task.entrypoint.script);
  CHECK(read.hooks.at(0).entrypoint.script == "one line");
  CHECK(read.hooks.at(0).depends_on == hook.depends_on);
  CHECK(read.allowed_variables == job.allowed_variables);
  CHECK(plugin::to_yaml(read) == plugin::to_yaml(job));
}

TEST_CASE("windows are cut down, shifted and long as job.yaml says") {
  CHECK(utc({"24h", "0", "d"}, "2026-03-04T10:11:12Z") == "2026-03-03T00:00 2026-03-04T00:00");
  CHECK(utc({"1h", "-30m", "h"}, "2026-03-04T10:11:12Z") == "2026-03-04T08:30 2026-03-04T09:30");
  CHECK(utc({"1w", "1d", "w"}, "2026-03-04T10:11:12Z") == "2026-02-24T00:00 2026-03-03T00:00");
  CHECK(utc({"1M", "0", "M"}, "2026-03-31T10:11:12Z") == "2026-02-01T00:00 2026-03-01T00:00");
  CHECK(utc({"1M", "", ""}, "2026-03-31T10:00:00Z") == "2026-02-28T10:00 2026-03-31T10:00");
  CHECK_THROWS_AS((void)utc({"1x", "0", "d"}, "2026-03-04T10:11:12Z"), Error);
  CHECK_THROWS_AS((void)utc({"-1d", "0", "d"}, "2026-03-04T10:11:12Z"), Error);
}

TEST_CASE("lines for a shell are quoted, and names that change programs are known") {
  CHECK(plugin::shell_lines({{"A", "it's"}, {"B", "$x\n`y`"}}) == "A='it'\\''s'\nB='$x\n`y`'\n");
  CHECK(plugin::is_dangerous_variable("LD_AUDIT"));
  CHECK(plugin::is_dangerous_variable("IFS"));
  CHECK_FALSE(plugin::is_dangerous_variable("LOAD_METHOD"));
}

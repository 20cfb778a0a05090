// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/yaml_plugin.hpp"

#include <doctest/doctest.h>

#include "vdk/core/files.hpp"

using namespace vdk;
using plugin::Problem;
using plugin::QuestionType;

namespace {

struct Parsed {
  std::optional<plugin::YamlPlugin> plugin;
  std::vector<std::string> errors;    ///< "LINE:COLUMN MESSAGE (HINT)"
  std::vector<std::string> warnings;  ///< the same
};

Parsed parse(const std::string& content) {
  const files::TemporaryDirectory folder;
  files::write_atomic(folder.path() / "p.yaml", content);
  Parsed parsed;
  std::vector<Problem> problems;
  parsed.plugin = plugin::parse_yaml_plugin(folder.path() / "p.yaml", problems);
  for (const Problem& problem : problems) {
    const std::string line = std::to_string(problem.location.line) + ":" + std::to_string(problem.location.column) +
                             " " + problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")");
    (problem.severity == Problem::Severity::error ? parsed.errors : parsed.warnings).push_back(line);
  }
  return parsed;
}

const std::string k_head = "name: p\npluginversion: 1.0.0\nplugintype: task\nimage: example.com/p:1\nentrypoint: run\n";

/// The one error of a plugin whose lines after the head are these; the head has five lines.
std::string error_of(const std::string& rest) {
  const Parsed parsed = parse(k_head + rest);
  REQUIRE_MESSAGE(parsed.errors.size() == 1, rest);
  return parsed.errors.front();
}

plugin::CheckedAnswer answer(QuestionType type, const std::string& text) {
  plugin::Question question;
  question.type = type;
  question.options = {"a", "b", "c"};
  return plugin::check_answer(question, text);
}

}  // namespace

TEST_CASE("a plugin in the shape of the original's largest sample is understood") {
  const Parsed parsed = parse(R"(name: bq2bq
description: from one table to another
plugintype: task
pluginversion: 0.3.5 # a comment
image: example.com/bq2bq-executor:0.3.5
entrypoint:
  script: "python3 /opt/main.py"
questions:
- name: PROJECT
  prompt: Project ID
  help: where the result goes
  regexp: ^[a-zA-Z0-9_\-]+$
  validationerror: letters, digits,
    hyphen and underscore
  minlength: 3
- name: LOAD_METHOD
  default: APPEND
  multiselect:
  - APPEND
  - REPLACE_MERGE
  subquestions:
  - ifvalue: REPLACE_MERGE
    questions:
    - name: PARTITION_FILTER
      help: "such as DATE(t)\n        >= \"{{ .DSTART|Date }}\""
      required: true
defaultconfig:
- name: SQL_TYPE
  value: STANDARD
defaultassets:
- name: query.sql
  value: |-
    Select * from t where d = '{{ .DSTART | Date }}';
)");
  REQUIRE(parsed.plugin);
  CHECK(parsed.warnings.empty());
  const plugin::YamlPlugin& plugin = *parsed.plugin;
  CHECK(plugin.version == "0.3.5");
  CHECK(plugin.entrypoint.shell == "/bin/sh");
  REQUIRE(plugin.questions.size() == 2);
  CHECK(plugin.questions[0].validation_error == "letters, digits, hyphen and underscore");
  CHECK(plugin.questions[1].type == QuestionType::select);
  CHECK(plugin.questions[1].branches.at(0).questions.at(0).required);
  CHECK(plugin.default_config.at(0).value == "STANDARD");
  CHECK(plugin.default_assets.at(0).first == "query.sql");
}

TEST_CASE("the original's other samples parse, or say which line is at fault and why") {
  const Parsed echo = parse(
      "name: echo\nplugintype: task\npluginversion: 0.1.0\nimage: example.com/echo\n"
      "entrypoint: \"echo $HELLO\"\nquestions:\n- name: HELLO\n  minlength: 3\n");
  REQUIRE(echo.plugin);
  CHECK(echo.plugin->entrypoint.script == "echo $HELLO");
  const Parsed bare = parse("name: echo\nplugintype: task\npluginversion: 0.1.0\nquestions:\n- name: HELLO\n");
  REQUIRE(bare.errors.size() == 1);
  CHECK(bare.errors[0] == "1:1 there is neither an 'image' nor an 'entrypoint' with a script: nothing can run");
  const Parsed neo = parse(
      "name: neo\nplugintype: task\npluginversion: latest\nimage: example.com/neo:latest\n"
      "secretpath: /tmp/auth.json\n");
  REQUIRE(neo.plugin);
  REQUIRE(neo.warnings.size() == 2);
  CHECK(neo.warnings[1].starts_with("5:13 'secretpath' is not used"));
}

TEST_CASE("the capitalised keys of the first proposal are understood with warnings") {
  const Parsed rfc = parse(
      "  Name: bq2bq\n  Version: latest\n  Image: example.com/optimus-task\n"
      "  Description: \"a task\"\n  Questions:\n    - Name: \"Project\"\n      Prompt: \"Project ID\"\n"
      "  DefaultConfig:\n    - name: PROJECT\n      value: ''\n  DefaultAssets:\n"
      "    - name: query.sql\n      value: |\n        -- a query\n");
  REQUIRE(rfc.plugin);
  CHECK(rfc.plugin->version == "latest");
  CHECK(rfc.plugin->questions.at(0).name == "Project");
  CHECK(rfc.warnings.at(0) == "1:3 the key 'Name' is written 'name'");
}

TEST_CASE("versions of one file inherit from the default one what they leave out") {
  const Parsed fork = parse(R"(version: 2
name: bq
description: several versions
plugin_versions:
  default:
    image: example.com/bq
    tag: "1.0"
    entrypoint: {shell: /bin/bash, script: run}
  "1.1": {tag: "1.1"}
  lab: {image: example.com/lab, entrypoint: {script: try}}
default_config: {KEY: value}
asset_parsers: {bq: [{env: X}]}
)");
  REQUIRE(fork.plugin);
  REQUIRE(fork.plugin->versions.size() == 3);
  CHECK(fork.plugin->versions[1].image == "example.com/bq:1.1");
  CHECK(fork.plugin->versions[1].entrypoint.shell == "/bin/bash");
  CHECK(fork.plugin->versions[2].image == "example.com/lab:1.0");
  CHECK(fork.plugin->versions[2].entrypoint.script == "try");
  CHECK(fork.plugin->default_config.at(0).name == "KEY");
  CHECK(parse("version: 2\nname: p\nplugin_versions:\n  a: {image: x}\n")
            .errors.at(0)
            .find("the version 'default' is missing") != std::string::npos);
}

TEST_CASE("every mistake has its place and a hint") {
  CHECK(error_of("questons: []\n") == "6:1 unknown key 'questons' in the plugin (did you mean 'questions'?)");
  CHECK(error_of("questions: []\nquestions: []\n") ==
        "7:1 the key 'questions' stands in the plugin a second time (keep one of the two)");
  CHECK(error_of("questions:\n- name: A\n  regexp: '['\n").starts_with("8:11 the pattern cannot be compiled"));
  CHECK(error_of("questions:\n- name: A\n- name: a\n").starts_with("8:9 a second question is called 'a'"));
  CHECK(
      error_of("questions:\n- name: A\n  minlength: 5\n  maxlength: 3\n").starts_with("8:14 'A' has minlength above"));
  CHECK(error_of("questions:\n- name: A\n  type: int\n  min: 5\n  max: 3\n").find("min above max") !=
        std::string::npos);
  CHECK(error_of("questions:\n- name: A\n  options: [x, y]\n  default: z\n") ==
        "9:12 the default of 'A' is no valid answer: 'z' is none of 'x' and 'y'");
  CHECK(error_of("questions:\n- name: A\n  regexp: ^[a-z]+$\n  default: X1\n").find("does not match") !=
        std::string::npos);
  CHECK(error_of("questions:\n- name: A B\n").find("cannot be an environment variable") != std::string::npos);
  CHECK(error_of("questions:\n- name: A\n  type: strnig\n").find("did you mean 'string'?") != std::string::npos);
  CHECK(error_of("questions:\n- name: A\n  when: {name: B, equals: x}\n")
            .find("no question before this one is called 'B'") != std::string::npos);
  CHECK(error_of("questions:\n- name: A\n  options: [x]\n  subquestions:\n  - ifvalue: y\n    questions: []\n")
            .starts_with("10:14 'y' is no option of 'A'"));
  CHECK(error_of("questions:\n- name: A\n  type: secret\n  default: hush\n").find("a secret with a default") !=
        std::string::npos);
  CHECK(error_of("hooktype: pre\n").find("only a hook has a 'hooktype'") != std::string::npos);
  CHECK(error_of("defaultassets:\n- name: ../x\n  value: y\n").starts_with("7:9 '../x' is no name for an asset"));
  CHECK(error_of("defaultassets:\n- name: q.sql\n  value: |\n    one\n    two {{ .DSTRAT }}\n")
            .starts_with("10:12 in a macro: there is no value .DSTRAT (did you mean .DSTART?)"));
  CHECK(error_of("defaultconfig:\n- name: K\n  value: '{{ .DSTART | dat }}'\n").find("there is no function 'dat'") !=
        std::string::npos);
}

TEST_CASE("a hook needs its type; all mistakes come at once") {
  const Parsed hook = parse("name: H\npluginversion: '1..2'\nplugintype: hook\nimage: x\nhooktype: before\n");
  CHECK(hook.errors.size() == 3);
  CHECK_FALSE(hook.plugin);
  CHECK(parse("a: [").errors.at(0).find("this is not YAML") != std::string::npos);
}

TEST_CASE("sub-questions of different answers may ask for the same name, and cycles end") {
  CHECK(parse(k_head + "questions:\n- name: A\n  options: [x, y]\n  subquestions:\n"
                       "  - {ifvalue: x, questions: [{name: B}]}\n  - {ifvalue: y, questions: [{name: B}]}\n")
            .plugin);
  const Parsed cycle = parse(k_head + "questions: &q\n- name: A\n  subquestions:\n  - {ifvalue: x, questions: *q}\n");
  CHECK_FALSE(cycle.plugin);
}

TEST_CASE("answers get one spelling or a reason") {
  CHECK(answer(QuestionType::boolean, " YES ").value == "true");
  CHECK(answer(QuestionType::integer, "007").value == "7");
  CHECK(answer(QuestionType::multiselect, "c, a,c").value == "a,c");
  CHECK(answer(QuestionType::select, "d").mistake == "'d' is none of 'a', 'b' and 'c'");
  CHECK(answer(QuestionType::date, "2026-02-30").mistake.starts_with("'2026-02-30' is no date"));
  CHECK(answer(QuestionType::date, "2026-02-28T10:00:00Z").mistake.empty());
  CHECK(answer(QuestionType::cron, "61 * * * *").mistake.find("is no schedule") != std::string::npos);
  CHECK(answer(QuestionType::floating, "1e5").mistake.empty());
  CHECK(answer(QuestionType::floating, "nan").mistake == "'nan' is no number");
  CHECK(answer(QuestionType::integer, "{{ .args.n }}").mistake.empty());
  CHECK(answer(QuestionType::string, "{{ .nope }}").mistake.find("no value .nope") != std::string::npos);
}

TEST_CASE("lengths count characters, and an unanswered question that may be is never too short") {
  plugin::Question question;
  question.min_length = 3;
  question.max_length = 4;
  question.pattern = "^\\pL+$";
  CHECK(plugin::check_answer(question, "äöü").mistake.empty());
  CHECK(plugin::check_answer(question, "").mistake.empty());
  CHECK(plugin::check_answer(question, "ab").mistake == "must have at least 3 characters");
  CHECK(plugin::check_answer(question, "a1c").mistake == "does not match the pattern ^\\pL+$");
  question.required = true;
  CHECK(plugin::check_answer(question, " ").mistake == "an answer is needed");
  CHECK(plugin::check_answer(question, "ab").mistake == "must have at least 3 characters");
}

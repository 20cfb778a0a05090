// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <doctest/doctest.h>

#include <set>

#include "cli/commands/commands.hpp"
#include "vdk/core/error.hpp"

namespace {

using vdk::Error;
using vdk::cli::find_invocation;
using vdk::cli::foreign_command;
using vdk::cli::Invocation;
using vdk::cli::parse_command;
using vdk::cli::ParsedCommand;

ParsedCommand parse(const std::vector<std::string>& words) { return parse_command(find_invocation(words)); }

Error refusal(const std::vector<std::string>& words) {
  try {
    (void)parse(words);
  } catch (const Error& error) {
    CHECK(vdk::exit_code(error.kind()) == 2);
    return error;
  }
  FAIL("the command line was accepted");
  throw std::logic_error("unreachable");
}

}  // namespace

TEST_CASE("every command of the table has a handler and distinct option names") {
  for (const auto& command : vdk::cli::command_table()) {
    CAPTURE(command.name);
    CHECK((vdk::cli::find_handler(command.name) != nullptr));
    std::set<std::string> names;
    for (const auto& option : vdk::cli::effective_options(command)) {
      CHECK(names.insert("--" + option.long_name).second);
      if (!option.short_name.empty()) {
        CHECK(names.insert("-" + option.short_name).second);
      }
    }
    if (!command.hidden) {
      CHECK_FALSE(command.examples.empty());
    }
  }
}

TEST_CASE("the output format is understood attached, separated, before the command and in any case") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"list", "-ojson"},
                                                                                     {"list", "-o", "JSON"},
                                                                                     {"list", "--output=Json"},
                                                                                     {"-o", "json", "list"},
                                                                                     {"-ojson", "list"}}) {
    CHECK(parse(words).json());
    CHECK(vdk::cli::wants_json(words));
  }
  CHECK_FALSE(parse({"list", "-o", "text"}).json());
}

TEST_CASE("a wrong choice names the option and the choices") {
  const Error error = refusal({"list", "-o", "yaml"});
  CHECK(error.text().what == "invalid value for '--output' / '-o'");
  CHECK(error.text().why == "'yaml' is not one of 'TEXT', 'JSON'");
}

TEST_CASE("values that look like JSON or like options arrive unchanged") {
  CHECK(parse({"execute", "--arguments", "{}"}).value("arguments") == "{}");
  CHECK(parse({"execute", "--arguments", "[1,2]"}).value("arguments") == "[1,2]");
  CHECK(parse({"properties", "--set", "low", "-5"}).all("set") == std::vector<std::string>{"low", "-5"});
}

TEST_CASE("pairs repeat and the last single value wins") {
  const ParsedCommand parsed = parse({"properties", "--set", "a", "1", "--set", "b", "", "-n", "x", "-n", "y"});
  CHECK(parsed.all("set") == std::vector<std::string>{"a", "1", "b", ""});
  CHECK(parsed.value("name") == "y");
}

TEST_CASE("-m counts, -v of deploy is the vdk version, --verbosity works everywhere") {
  CHECK(parse({"list", "-mmm"}).count("more-details") == 3);
  CHECK(parse({"list", "-m", "-m"}).count("more-details") == 2);
  CHECK(parse({"deploy", "-v", "1.2"}).value("vdk-version") == "1.2");
  CHECK(parse({"-v", "DEBUG", "deploy", "-n", "x"}).value("verbosity") == "DEBUG");
  CHECK(parse({"list", "-v", "debug"}).value("verbosity") == "debug");
  CHECK(parse({"list", "-vv"}).value("verbosity") == "DEBUG");
  CHECK(parse({"-vv", "deploy", "-n", "x"}).value("verbosity") == "DEBUG");
  CHECK(parse({"deploy", "-vv"}).value("vdk-version") == "v");
}

TEST_CASE("mistyped commands and options get the nearest name") {
  CHECK(refusal({"depoly"}).text().countermeasures.find("`deploy`") != std::string::npos);
  CHECK(refusal({"deploy", "--jop-path", "x"}).text().countermeasures.find("`--job-path`") != std::string::npos);
  CHECK(refusal({"config", "explian"}).text().countermeasures.find("`explain`") != std::string::npos);
  CHECK(refusal({"deploy", "--jop-path=x"}).text().what == "no such option '--jop-path'");
}

TEST_CASE("missing and surplus arguments are refused") {
  CHECK(refusal({"run"}).text().what == "missing argument DIR");
  CHECK(refusal({"run", "a", "b"}).text().what == "unexpected argument 'b'");
  CHECK(refusal({"list", "surplus"}).text().what == "unexpected argument 'surplus'");
  (void)refusal({"list", "-t"});
}

TEST_CASE("what follows -- is never read as an option") {
  CHECK(parse({"__complete", "--", "deploy", "-n", ""}).positionals == std::vector<std::string>{"deploy", "-n", ""});
}

TEST_CASE("an alias stands for its option and help is found anywhere") {
  CHECK(parse({"create", "--no-sample"}).has("cloud"));
  CHECK(find_invocation({"deploy", "-n", "x", "--help"}).help);
  CHECK(find_invocation({"help", "deploy"}).help);
  CHECK(find_invocation({"--help"}).kind == Invocation::Kind::root_help);
  CHECK(find_invocation({}).kind == Invocation::Kind::root_help);
  CHECK(find_invocation({"config"}).kind == Invocation::Kind::group_help);
  CHECK(find_invocation({"--version"}).kind == Invocation::Kind::version);
}

TEST_CASE("a group may be a command too") {
  CHECK(parse({"server"}).command->name == "server");
  CHECK(parse({"server", "--port", "0"}).value("port") == "0");
  CHECK(parse({"server", "fsck", "--repair"}).command->name == "server fsck");
  CHECK(parse({"server", "backup", "somewhere"}).positionals == std::vector<std::string>{"somewhere"});
  CHECK(find_invocation({"server", "--help"}).command->name == "server");
  CHECK(find_invocation({"help", "server"}).command->name == "server");
  CHECK(find_invocation({"config"}).kind == Invocation::Kind::group_help);
  CHECK(find_invocation({"config", "--help"}).kind == Invocation::Kind::group_help);
  CHECK(refusal({"server", "fcsk"}).text().countermeasures.find("did you mean `fsck`?") != std::string::npos);
  CHECK(refusal({"server", "--prot", "1"}).text().countermeasures.find("--port") != std::string::npos);
}

TEST_CASE("a word that no command of vdk has may be a plugin's command") {
  CHECK(foreign_command({"ingest-csv", "-f", "x"}) == 0U);
  CHECK(foreign_command({"-v", "DEBUG", "-ojson", "ingest-csv", "--help"}) == 3U);
  CHECK_FALSE(foreign_command({"run", "job"}).has_value());
  CHECK_FALSE(foreign_command({"config", "nonsense"}).has_value());
  CHECK_FALSE(foreign_command({"help", "nonsense"}).has_value());
  CHECK_FALSE(foreign_command({"--no-such-option", "ingest-csv"}).has_value());
  CHECK_FALSE(foreign_command({}).has_value());
}

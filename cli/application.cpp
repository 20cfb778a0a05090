// SPDX-License-Identifier: Apache-2.0
#include "cli/application.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

#include "cli/command_line.hpp"
#include "cli/commands/commands.hpp"
#include "cli/context.hpp"
#include "cli/view/help.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

void apply_verbosity(const ParsedCommand& command) {
  const std::string level = text::lower(command.value_or("verbosity", "info"));
  const std::pair<const char*, log::Level> levels[] = {{"debug", log::Level::debug},
                                                       {"info", log::Level::info},
                                                       {"warning", log::Level::warning},
                                                       {"error", log::Level::error},
                                                       {"critical", log::Level::critical}};
  for (const auto& [name, value] : levels) {
    if (level == name) {
      log::set_level(value);
    }
  }
}

int run_command(const std::vector<std::string>& arguments) {
  const Invocation invocation = find_invocation(arguments);
  switch (invocation.kind) {
    case Invocation::Kind::root_help:
      print(root_help());
      return 0;
    case Invocation::Kind::group_help:
      print(group_help(invocation.group));
      return 0;
    case Invocation::Kind::version:
    case Invocation::Kind::command:
      break;
  }
  if (invocation.help && !invocation.command->hidden) {
    print(command_help(*invocation.command));
    return 0;
  }
  const ParsedCommand parsed = parse_command(invocation);
  apply_verbosity(parsed);
  Context context(parsed);
  return find_handler(parsed.command->name)(parsed, context);
}

bool print_json_error(const Error& error) {
  try {
    print(dump_json(error_to_json(error)) + "\n");
    return true;
  } catch (const Error&) {
    return false;  // standard output itself is broken: what remains is standard error
  }
}

int report(const Error& error, bool json) {
  if (!json || !print_json_error(error)) {
    std::string text = format_error(error);
    if (colour_on_stderr() && text.starts_with("error:")) {
      text = "\x1b[1;31merror:\x1b[0m" + text.substr(6);
    }
    std::fputs(text.c_str(), stderr);
  }
  return exit_code(error.kind());
}

}  // namespace

int run_application(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const bool json = wants_json(arguments);
  try {
    return run_command(arguments);
  } catch (const Error& error) {
    return report(error, json);
  } catch (const std::exception& error) {
    return report(
        Error(ErrorKind::internal, {"vdk failed unexpectedly", error.what(), "the command did not complete",
                                    "run it again with --verbosity DEBUG and report the problem with its output"}),
        json);
  }
}

}  // namespace vdk::cli

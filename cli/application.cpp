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
#include "vdk/config/settings.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/plugin_commands.hpp"

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

/// Command of an installed Python plugin? Does not return then: this process becomes its Python.
void try_plugin_command(const std::vector<std::string>& arguments, const Error& unknown) {
  const auto at = foreign_command(arguments);
  const config::Settings settings = config::Settings::from_process();
  if (!at || !settings.get_bool("python_plugins")) {
    return;
  }
  if (const auto interpreter = run::interpreter_with_plugins()) {
    const bool json = wants_json(arguments);
    run::PluginCommand command;
    command.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(*at), arguments.end());
    command.unknown = json ? dump_json(error_to_json(unknown)) + "\n" : format_error(unknown);
    command.json = json;
    run::become_plugin_command(*interpreter, command, settings);
  }
}

Invocation find_invocation_or_plugin(const std::vector<std::string>& arguments) {
  try {
    return find_invocation(arguments);
  } catch (const Error& error) {
    try_plugin_command(arguments, error);
    throw;
  }
}

/// The commands of Python plugins for the help; empty when no plugin is installed.
std::string plugin_help() {
  const config::Settings settings = config::Settings::from_process();
  const auto interpreter = settings.get_bool("python_plugins") ? run::interpreter_with_plugins() : std::nullopt;
  if (!interpreter) {
    return "";
  }
  try {
    auto commands = run::list_plugin_commands(*interpreter, settings);
    std::erase_if(commands, [](const auto& command) { return find_command(command.first) != nullptr; });
    return commands.empty() ? "" : foreign_command_list(commands);
  } catch (const Error& error) {
    log::warning(error.what());
    return "";
  }
}

int run_command(const std::vector<std::string>& arguments) {
  const Invocation invocation = find_invocation_or_plugin(arguments);
  switch (invocation.kind) {
    case Invocation::Kind::root_help:
      print(root_help() + plugin_help());
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
    if (log::is_formatted()) {
      log::error(text::trim(std::string_view(text).substr(text.starts_with("error:") ? sizeof "error:" - 1 : 0)));
      return exit_code(error.kind());
    }
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

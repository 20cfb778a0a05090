// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.hpp"

#include <algorithm>
#include <iterator>

namespace vdk::cli {

const std::vector<Command>& command_table() {
  static const std::vector<Command> table = [] {
    std::vector<Command> all = control_commands();
    for (auto part : {auth_commands(), local_commands(), plugin_commands(), executor_commands(), service_commands()}) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
  }();
  return table;
}

const std::vector<Option>& common_options() {
  static const std::vector<Option> options = {
      {.long_name = "output",
       .short_name = "o",
       .metavar = "FORMAT",
       .help = "Format of the result on standard output; errors become JSON too.",
       .choices = {"TEXT", "JSON"},
       .default_value = "text"},
      {.long_name = "verbosity",
       .short_name = "v",
       .metavar = "LEVEL",
       .help = "How much is said on standard error.",
       .choices = {"CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"},
       .default_value = "info"},
      {.long_name = "help", .short_name = "h", .help = "Show this help and exit.", .kind = OptionKind::flag},
  };
  return options;
}

const Command* find_command(std::string_view name) {
  const auto& table = command_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Command& c) { return c.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<const Command*> group_members(std::string_view group) {
  std::vector<const Command*> members;
  const std::string prefix = std::string(group) + " ";
  for (const Command& command : command_table()) {
    if (command.name.starts_with(prefix)) {
      members.push_back(&command);
    }
  }
  return members;
}

std::vector<Option> effective_options(const Command& command) {
  std::vector<Option> options = command.options;
  for (Option option : common_options()) {
    const auto same_name = [&](const Option& o) { return o.long_name == option.long_name; };
    if (std::any_of(command.options.begin(), command.options.end(), same_name)) {
      continue;
    }
    const auto same_short = [&](const Option& o) { return o.short_name == option.short_name; };
    if (std::any_of(command.options.begin(), command.options.end(), same_short)) {
      option.short_name.clear();  // deploy's -v means --vdk-version, as in the original
    }
    options.push_back(option);
  }
  return options;
}

std::string_view exit_code_meaning(int code) {
  switch (code) {
    case 0:
      return "success";
    case 1:
      return "the operation or the job failed";
    case 2:
      return "wrong usage or configuration";
    case 3:
      return "changes are pending (only when asked)";
    case 4:
      return "a login is needed";
    case 5:
      return "not found";
    case 6:
      return "conflict: it exists already, is running, or is locked";
    case 7:
      return "gave up waiting";
    case 8:
      return "the service cannot be reached";
    case 70:
      return "internal error";
    case 130:
      return "interrupted";
    case 143:
      return "asked to end (SIGTERM)";
    default:
      return "unknown";
  }
}

}  // namespace vdk::cli

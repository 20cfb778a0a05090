// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// All that is known about the commands as plain data: parsers, --help, man pages, completion and the reference page
/// come from here.
namespace vdk::cli {

enum class OptionKind {
  flag,    ///< no value
  value,   ///< one value, the last one wins
  repeat,  ///< may be given several times
  pair,    ///< two values (KEY VALUE), may be given several times
  count,   ///< a flag that counts, -mmm
};

/// What completes a value.
enum class Completion { none, file, directory, job, team, execution };

struct Option {
  std::string long_name;                  ///< without dashes
  std::string short_name = {};            ///< one letter, without the dash
  std::vector<std::string> aliases = {};  ///< more long names
  std::string metavar = {};               ///< empty for flags
  std::string help = {};
  OptionKind kind = OptionKind::value;
  std::vector<std::string> choices = {};  ///< compared without regard to case
  std::string default_value = {};         ///< as shown in the help
  std::string environment = {};           ///< variable that gives the default
  Completion completion = Completion::none;
  bool hidden = false;
};

struct Positional {
  std::string name;
  std::string help;
  bool required = true;
  Completion completion = Completion::none;
};

struct Example {
  std::string command;
  std::string text;
};

struct Command {
  std::string name;  ///< "deploy" or, in a group, "config explain"; a group may be a command too ("server")
  std::string summary;
  std::string description;
  std::vector<Example> examples = {};
  std::vector<Positional> positionals = {};
  std::vector<Option> options = {};
  std::vector<int> exit_codes = {};  ///< besides 0, 2 and 70, which every command has
  bool hidden = false;
};

/// Every command in the order in which help lists them.
[[nodiscard]] const std::vector<Command>& command_table();
/// Options that every command takes.
[[nodiscard]] const std::vector<Option>& common_options();
/// Nothing when there is no such command.
[[nodiscard]] const Command* find_command(std::string_view name);
/// Commands below a group ("config" gives "config explain"); empty when it is none.
[[nodiscard]] std::vector<const Command*> group_members(std::string_view group);
/// Options of the command and the common ones that it does not redefine.
[[nodiscard]] std::vector<Option> effective_options(const Command& command);
/// What an exit code means.
[[nodiscard]] std::string_view exit_code_meaning(int code);

/// Parts of the table; see command_table().
[[nodiscard]] std::vector<Command> local_commands();
[[nodiscard]] std::vector<Command> control_commands();
[[nodiscard]] std::vector<Command> service_commands();
[[nodiscard]] std::vector<Command> auth_commands();
[[nodiscard]] std::vector<Command> executor_commands();

}  // namespace vdk::cli

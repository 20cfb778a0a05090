// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_table.hpp"

namespace vdk::cli {

/// What somebody typed, checked against the table.
struct ParsedCommand {
  const Command* command = nullptr;
  std::map<std::string, std::vector<std::string>> values;  ///< long option name -> values; pairs as two items each
  std::vector<std::string> positionals;

  [[nodiscard]] bool has(const std::string& option) const { return values.contains(option); }
  [[nodiscard]] std::optional<std::string> value(const std::string& option) const;  ///< the last one
  [[nodiscard]] std::string value_or(const std::string& option, std::string fallback) const;
  [[nodiscard]] std::vector<std::string> all(const std::string& option) const;
  [[nodiscard]] std::size_t count(const std::string& option) const;
  [[nodiscard]] bool json() const;
};

/// The command that a line names, before its options are looked at.
struct Invocation {
  enum class Kind { command, group_help, root_help, version };
  Kind kind = Kind::command;
  const Command* command = nullptr;
  std::string group;
  bool help = false;                   ///< --help somewhere on the line
  std::vector<std::string> arguments;  ///< options given before the command follow in their long form
};

/// Throws Error(usage), with the nearest known name for an unknown command.
[[nodiscard]] Invocation find_invocation(const std::vector<std::string>& arguments);
/// Position of the word that should be a command and is none of vdk's; nothing when there is no such word.
[[nodiscard]] std::optional<std::size_t> foreign_command(const std::vector<std::string>& arguments);
/// Throws Error(usage) for everything that the table does not allow.
[[nodiscard]] ParsedCommand parse_command(const Invocation& invocation);
/// True when the line asks for JSON, however wrong the rest of it may be.
[[nodiscard]] bool wants_json(const std::vector<std::string>& arguments);

}  // namespace vdk::cli

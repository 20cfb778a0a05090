// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_table.hpp"

namespace vdk::cli {

[[nodiscard]] std::string root_help();
/// The section of the help for commands that are not in the table: name and summary.
[[nodiscard]] std::string foreign_command_list(const std::map<std::string, std::string>& commands);
[[nodiscard]] std::string group_help(std::string_view group);
[[nodiscard]] std::string command_help(const Command& command);

/// "vdk run [OPTIONS] DIR"
[[nodiscard]] std::string usage_line(const Command& command);
/// "-n, --name NAME"
[[nodiscard]] std::string option_heading(const Option& option);
/// Help text with choices, default and environment variable.
[[nodiscard]] std::string option_text(const Option& option);
/// 0, 2, 70 and the command's own, in order.
[[nodiscard]] std::vector<int> all_exit_codes(const Command& command);

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command_table.hpp"

namespace vdk::cli {

/// Values that only the service knows; `words` is the line so far.
using DynamicValues = std::function<std::vector<std::string>(Completion kind, const std::vector<std::string>& words)>;

/// Candidates for the last word, one "word" or "word\tmeaning" each; ":file" and ":directory" ask the shell.
[[nodiscard]] std::vector<std::string> complete(const std::vector<std::string>& words, const DynamicValues& values);

}  // namespace vdk::cli

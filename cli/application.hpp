// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace vdk::cli {

/// The whole program: parse, run the command, print its error if any. Returns the exit code.
[[nodiscard]] int run_application(const std::vector<std::string>& arguments);

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/core/process.hpp"

namespace vdk::run {

struct ProgramEnd {
  int exit_code = 0;     ///< never 0 for a program that a signal ended
  std::string sentence;  ///< how it ended
};

/// Run a program with our streams and wait for it. A signal that we get is passed on to it, and pressed harder while it
/// does not end. It does not outlive us.
[[nodiscard]] ProgramEnd run_program(const process::Command& command);

}  // namespace vdk::run

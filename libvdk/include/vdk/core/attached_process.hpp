// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vdk/core/process.hpp"

namespace vdk::process {

/// Start a program with our own streams (`input`, `timeout` and `stop` do not count). The kernel kills it when the
/// calling thread ends; who calls this waits for it.
[[nodiscard]] pid_t spawn_attached(const Command& command);

}  // namespace vdk::process

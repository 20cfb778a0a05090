// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vdk::target::local {

/// Processes of this user, except the caller, that were started with the environment variable `name` = `value`. The
/// mark is inherited, so it finds the whole family even after somebody in it made a new session or lost its parent.
[[nodiscard]] std::vector<pid_t> marked_processes(const std::string& name, const std::string& value);
/// SIGKILL to all of them, until there is none left (or, after a few seconds, somebody does not die).
void kill_marked_processes(const std::string& name, const std::string& value);

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>

namespace vdk::run {

/// From here on processes whose parent ended become our children, so that all that a step started can be found. Returns
/// whether they did before.
[[nodiscard]] bool adopt_orphans(bool adopt);
/// Take the exit of adopted processes, which nobody else waits for; not of `own`.
void reap_orphans(pid_t own);
/// End what the steps started and left behind: SIGTERM, and SIGKILL for what is still there a second later.
void end_descendants();
/// SIGKILL for all of them. May be called from a signal handler.
void kill_descendants() noexcept;

/// SIGKILL for all processes of this user whose environment held the mark when they began. Safe after fork().
void kill_marked(std::string_view mark) noexcept;

}  // namespace vdk::run

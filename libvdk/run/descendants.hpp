// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

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

}  // namespace vdk::run

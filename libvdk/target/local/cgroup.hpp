// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vdk::target::local {

/// Moves this process into a new control group (version 2) with these limits, 0 = none. False where the machine has no
/// such hierarchy or this user may not make groups in it; then nothing has changed.
bool enter_own_cgroup(int memory_mebibytes, double cores);
/// True when the kernel killed a process of the group that enter_own_cgroup made, for want of memory.
[[nodiscard]] bool own_cgroup_ran_out_of_memory();
/// Moves this process back and removes the group.
void leave_own_cgroup();

}  // namespace vdk::target::local

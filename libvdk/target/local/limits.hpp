// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "vdk/target/target.hpp"

namespace vdk::target::local {

/// Put this process and all that it starts under the limits of its deployment: memory (rlimit, and a control group
/// where this user may make one) and processors (control group, else affinity).
void apply_limits(const DeploymentSpec& deployment);

/// How long an execution may take; the original's chart has the same. `VDK_LOCAL_EXECUTION_DEADLINE` (seconds) changes
/// it.
[[nodiscard]] std::chrono::seconds execution_deadline();

/// End the processes of the execution in `directory` when it takes too long, and call `give_up` when this process still
/// has no result a moment later.
void watch_deadline(const std::filesystem::path& directory, std::chrono::seconds deadline, void (*give_up)());

/// What a limit has to do with a result.
struct LimitVerdict {
  bool ended_by_limit = false;
  std::string message;  ///< the given one, with the limit named in front of it
};
[[nodiscard]] LimitVerdict explain_limits(const std::filesystem::path& directory, const std::string& status,
                                          const std::string& message);

}  // namespace vdk::target::local

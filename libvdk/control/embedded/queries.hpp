// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// The jobs and executions queries over the store; never asks the target. See Service::find_jobs. The clock decides
/// about next runs.
[[nodiscard]] JobPage find_jobs(Store& store, const Sources& sources, const JobQuery& query,
                                const Clock& clock = SystemClock());
/// Addresses of logs are left empty.
[[nodiscard]] ExecutionPage find_executions(Store& store, const ExecutionQuery& query);

}  // namespace vdk::control

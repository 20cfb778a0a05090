// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/run/run.hpp"

namespace vdk::run {

/// Where and why a run ended early, what was done before, and the command that goes on from there; for a person.
/// Empty when no step failed.
[[nodiscard]] std::string failure_report(const RunResult& result, const RunRequest& request);

}  // namespace vdk::run

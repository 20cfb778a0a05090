// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "run/rerun/inputs.hpp"
#include "vdk/run/plan.hpp"

namespace vdk::run {

/// Which steps run, and why, by what is known of earlier runs. When in doubt a step runs. Throws Error(usage) for a
/// step that the job does not have, Error(operation) for one step alone whose state cannot be had.
[[nodiscard]] Plan make_plan(const Rerun& asked, const job::Job& job, const RerunStore& store, const RerunInputs& now,
                             const std::filesystem::path& interpreter);

/// The text that is compared with later ones.
[[nodiscard]] std::string recorded_source(const job::Step& step);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/view/json.hpp"
#include "vdk/control/model.hpp"

/// The service's nouns as rows with the original's keys in the original's order.
namespace vdk::cli {

[[nodiscard]] Json deployment_row(const control::Deployment& deployment);
/// deployment_row plus what only machines and curious people want.
[[nodiscard]] Json detailed_deployment(const control::Deployment& deployment);
[[nodiscard]] Json execution_row(const control::Execution& execution);
[[nodiscard]] Json job_record(const control::DataJob& job);
/// One row of `list`; `details` counts the -m flags.
[[nodiscard]] Json list_row(const control::JobOverview& overview, std::size_t details);
/// {"job_name", "job_version", "python_version"}
[[nodiscard]] Json deployed_row(const control::Deployment& deployment);

}  // namespace vdk::cli

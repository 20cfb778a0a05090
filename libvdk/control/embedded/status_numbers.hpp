// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vdk/control/model.hpp"

/// How the original's database writes statuses.
namespace vdk::control {

[[nodiscard]] int number_of(DeploymentStatus status) noexcept;
[[nodiscard]] DeploymentStatus deployment_status(long long number) noexcept;
[[nodiscard]] int number_of(ExecutionStatus status) noexcept;
/// Unknown numbers read as platform_error, as the original reads them.
[[nodiscard]] ExecutionStatus execution_status(long long number) noexcept;

}  // namespace vdk::control

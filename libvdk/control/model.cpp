// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/model.hpp"

namespace vdk::control {

std::string_view to_string(DeploymentStatus s) noexcept {
  switch (s) {
    case DeploymentStatus::none:
      return "NONE";
    case DeploymentStatus::success:
      return "SUCCESS";
    case DeploymentStatus::platform_error:
      return "PLATFORM_ERROR";
    case DeploymentStatus::user_error:
      return "USER_ERROR";
  }
  return "NONE";
}

std::string_view to_string(ExecutionStatus s) noexcept {
  switch (s) {
    case ExecutionStatus::submitted:
      return "submitted";
    case ExecutionStatus::running:
      return "running";
    case ExecutionStatus::succeeded:
      return "succeeded";
    case ExecutionStatus::cancelled:
      return "cancelled";
    case ExecutionStatus::skipped:
      return "skipped";
    case ExecutionStatus::user_error:
      return "user_error";
    case ExecutionStatus::platform_error:
      return "platform_error";
  }
  return "platform_error";
}

std::optional<ExecutionStatus> parse_execution_status(std::string_view s) noexcept {
  for (const auto status :
       {ExecutionStatus::submitted, ExecutionStatus::running, ExecutionStatus::succeeded, ExecutionStatus::cancelled,
        ExecutionStatus::skipped, ExecutionStatus::user_error, ExecutionStatus::platform_error}) {
    if (to_string(status) == s) {
      return status;
    }
  }
  return std::nullopt;
}

bool is_final(ExecutionStatus s) noexcept { return s != ExecutionStatus::submitted && s != ExecutionStatus::running; }

std::string_view to_string(ExecutionType t) noexcept { return t == ExecutionType::manual ? "manual" : "scheduled"; }

}  // namespace vdk::control

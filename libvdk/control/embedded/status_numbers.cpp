// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/status_numbers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vdk::control {
namespace {

constexpr std::array<std::pair<DeploymentStatus, int>, 4> k_deployments{{{DeploymentStatus::none, -1},
                                                                         {DeploymentStatus::success, 0},
                                                                         {DeploymentStatus::platform_error, 1},
                                                                         {DeploymentStatus::user_error, 3}}};
// 3 is not used.
constexpr std::array<std::pair<ExecutionStatus, int>, 7> k_executions{{{ExecutionStatus::submitted, 0},
                                                                       {ExecutionStatus::running, 1},
                                                                       {ExecutionStatus::succeeded, 2},
                                                                       {ExecutionStatus::cancelled, 4},
                                                                       {ExecutionStatus::skipped, 5},
                                                                       {ExecutionStatus::user_error, 6},
                                                                       {ExecutionStatus::platform_error, 7}}};

template <typename Table, typename Status>
int number_in(const Table& table, Status status) noexcept {
  return std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.first == status; })->second;
}

template <typename Table, typename Status>
Status status_in(const Table& table, long long number, Status otherwise) noexcept {
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.second == number; });
  return found == table.end() ? otherwise : found->first;
}

}  // namespace

int number_of(DeploymentStatus status) noexcept { return number_in(k_deployments, status); }

DeploymentStatus deployment_status(long long number) noexcept {
  return status_in(k_deployments, number, DeploymentStatus::none);
}

int number_of(ExecutionStatus status) noexcept { return number_in(k_executions, status); }

ExecutionStatus execution_status(long long number) noexcept {
  return status_in(k_executions, number, ExecutionStatus::platform_error);
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "vdk/control/model.hpp"

namespace vdk::control {

/// What the background tasks of this process did since it started; read by the metrics page.
struct Counters {
  std::atomic<long long> synchronizer_successful{0};  ///< passes that ended without trouble
  std::atomic<long long> synchronizer_failed{0};
  std::atomic<long long> rollouts_successful{0};
  std::atomic<long long> rollouts_failed{0};
  std::atomic<long long> executions_started{0};
  std::atomic<long long> watch_invocations{0};  ///< passes of the execution monitor
  std::atomic<long long> cleanup_invocations{0};
  std::atomic<long long> cleanup_deleted{0};
  std::atomic<long long> cleanup_failed{0};
  std::atomic<long long> mails_sent{0};
  std::atomic<long long> mails_failed{0};
  std::atomic<bool> synchronizes{false};  ///< this process holds the synchronizer's lease
};
[[nodiscard]] Counters& counters() noexcept;

/// How often roll-outs of each job ended how in this process.
using RolloutCounts = std::map<std::pair<std::string, DeploymentStatus>, long long>;
void count_rollout(const std::string& job, DeploymentStatus status);
[[nodiscard]] RolloutCounts rollout_counts();

}  // namespace vdk::control

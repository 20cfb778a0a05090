// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/counters.hpp"

#include <mutex>

namespace vdk::control {
namespace {

struct Rollouts {
  std::mutex mutex;
  RolloutCounts counts;
};

Rollouts& rollouts() {
  static Rollouts all;
  return all;
}

}  // namespace

Counters& counters() noexcept {
  static Counters all;
  return all;
}

void count_rollout(const std::string& job, DeploymentStatus status) {
  Rollouts& all = rollouts();
  const std::scoped_lock lock(all.mutex);
  ++all.counts[{job, status}];
}

RolloutCounts rollout_counts() {
  Rollouts& all = rollouts();
  const std::scoped_lock lock(all.mutex);
  return all.counts;
}

}  // namespace vdk::control

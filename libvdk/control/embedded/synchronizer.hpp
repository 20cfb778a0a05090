// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// The lease under which a server synchronizes: outcomes are written only while it is this server's.
struct Fence {
  std::string lease;
  long long number = 0;
};

/// One thing to do for the synchronizer.
struct Step {
  std::string job;
  bool again = false;     ///< apply although the rows agree: the runtime lost it
  bool stranger = false;  ///< the runtime has it and no row does
};

/// Brings what runs in step with what is wanted. Holds a lock of the job (HOME/locks/rollout-JOB) while it works on the
/// target, so that processes take turns for each job and a long build delays nobody else; a roll-out that died half-way
/// is found by comparing the rows and done again.
class Synchronizer {
 public:
  explicit Synchronizer(const Context& context) : m_context(context) {}

  /// From now on nothing is written once the lease is lost: Error(conflict) instead.
  void set_fence(std::optional<Fence> fence) { m_fence = std::move(fence); }

  /// Bring one job in step. `again` applies even when the rows agree (the target lost it). Failures are stored, not
  /// thrown.
  void roll_out(const std::string& job, bool again, const target::Progress& progress);
  /// The same for one step of a plan; false when somebody else is working on this job.
  bool try_step(const Step& step);

  /// What is out of step now, by the rows alone and in a constant number of statements. With `inspect` the present
  /// settings and the target itself are compared too.
  [[nodiscard]] std::vector<Step> plan(bool inspect);
  /// Plan and do everything, waiting for whoever works on a job. Returns how many jobs were worked on.
  int pass(bool inspect);

 private:
  void work(const Step& step, const target::Progress& progress);
  void apply(const Desired& desired, const std::optional<Deployment>& actual, const target::Progress& progress);
  void hand_over(Deployment& deployment, const std::string& team, const std::optional<Deployment>& actual,
                 const target::Progress& progress);
  void repair(Deployment actual);
  void remove(const std::string& job);
  void remove_stranger(const std::string& job);
  void note_success(const Desired& desired, const std::optional<Deployment>& running);
  void note_failure(const Desired& desired, const Error& problem);
  void rehash();
  void inspect_target(std::vector<Step>& steps);
  void check_fence();
  Context m_context;
  std::optional<Fence> m_fence;
  bool m_background = false;       ///< nobody waits for the outcome: failures are logged
  std::set<std::string> m_warned;  ///< Python versions that are not offered any more
};

}  // namespace vdk::control

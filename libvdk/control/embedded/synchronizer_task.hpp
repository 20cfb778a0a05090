// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/embedded/leadership.hpp"
#include "control/embedded/parts.hpp"

namespace vdk::control {

/// The synchronizer as a task of the server: plans when somebody changed what is wanted, and now and then anyway, and
/// lets workers carry out the steps, each job by one of them at a time. On a database that several servers share, one
/// of them works, under a lease.
class SynchronizerTask {
 public:
  SynchronizerTask(const EmbeddedOptions& options, const MakeTarget& make_target, const Clock& clock, bool shared)
      : m_options(options), m_make_target(make_target), m_clock(clock), m_leadership(options, clock, k_lease, shared) {}

  /// Until `stop`; never throws. `reload`: settings changed, look at everything now.
  void run(const std::atomic<bool>& stop, std::atomic<bool>& reload);

  static constexpr const char* k_lease = "synchronizer";

 private:
  using Steady = std::chrono::steady_clock;

  void tick(std::atomic<bool>& reload);
  void plan(bool inspect);
  void add(Step step);
  void wake_delayed();
  void drop_everything();
  void work();
  /// Nothing when it is time to go home.
  std::optional<Step> take();
  bool carry_out(std::optional<Parts>& parts, std::optional<Synchronizer>& synchronizer, const Step& step);

  const EmbeddedOptions& m_options;
  const MakeTarget& m_make_target;
  const Clock& m_clock;
  Leadership m_leadership;

  // The planning thread's own.
  std::optional<Parts> m_parts;
  std::optional<Synchronizer> m_planner;
  bool m_leads = false;
  Steady::time_point m_next_pass;
  Steady::time_point m_next_inspection;

  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_over = false;
  std::deque<Step> m_queue;
  std::vector<std::pair<Steady::time_point, Step>> m_delayed;  ///< somebody else works on the job, or it went wrong
  std::set<std::string> m_queued;                              ///< jobs in the two lists above
  std::set<std::string> m_in_work;
  long long m_revision = -1;  ///< what the latest plan is about
};

}  // namespace vdk::control

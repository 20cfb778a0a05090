// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/synchronizer_task.hpp"

#include <algorithm>
#include <thread>

#include "vdk/control/counters.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

constexpr std::chrono::milliseconds k_poll{500};
constexpr std::chrono::milliseconds k_nap{50};
/// When a step is tried again that somebody else's work or trouble of the database kept from being done.
constexpr std::chrono::seconds k_delay{2};

}  // namespace

void SynchronizerTask::run(const std::atomic<bool>& stop, std::atomic<bool>& reload) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < std::max(1, m_options.synchronizer.workers); ++i) {
    workers.emplace_back([this] { work(); });
  }
  std::string told;
  auto next = Steady::now();
  while (!stop) {
    if (Steady::now() >= next || reload) {
      try {
        tick(reload);
        told.clear();
      } catch (const std::exception& problem) {
        ++counters().synchronizer_failed;
        if (told != problem.what()) {
          told = problem.what();
          log::error("synchronizer: " + told);
        }
        m_next_pass = Steady::now() + k_delay;
      }
      next = Steady::now() + k_poll;
    }
    std::this_thread::sleep_for(k_nap);
  }
  const std::scoped_lock lock(m_mutex);
  m_over = true;
  m_changed.notify_all();
}

void SynchronizerTask::tick(std::atomic<bool>& reload) {
  const bool leads = m_leadership.held();
  counters().synchronizes = leads;
  const bool asked = reload.exchange(false);
  if (leads != m_leads) {
    m_leads = leads;
    if (leads) {
      m_next_pass = m_next_inspection = Steady::now();
    } else {
      drop_everything();
    }
  }
  if (!leads) {
    return;
  }
  if (!m_parts) {
    m_parts.emplace(m_options, m_make_target, m_clock);
    m_planner.emplace(m_parts->context);
  }
  wake_delayed();
  const long long revision = m_parts->store.desired_revision();
  const auto now = Steady::now();
  const bool inspect = asked || now >= m_next_inspection;
  bool changed = false;
  {
    const std::scoped_lock lock(m_mutex);
    changed = m_revision != revision;
    m_revision = revision;
  }
  if (!changed && !inspect && now < m_next_pass) {
    return;
  }
  m_next_pass = now;  // once more when this fails
  plan(inspect);
  m_next_pass = Steady::now() + m_options.synchronizer.interval;
  if (inspect) {
    m_next_inspection = Steady::now() + m_options.synchronizer.inspect;
  }
  ++counters().synchronizer_successful;
}

void SynchronizerTask::plan(bool inspect) {
  m_planner->set_fence(m_leadership.fence());
  for (Step& step : m_planner->plan(inspect)) {
    add(std::move(step));
  }
}

void SynchronizerTask::add(Step step) {
  const std::scoped_lock lock(m_mutex);
  if (m_queued.insert(step.job).second) {
    m_queue.push_back(std::move(step));
    m_changed.notify_one();
    return;
  }
  // Rows are read when the step is carried out, so the waiting one is about the present; only what the target lost is
  // new to it.
  for (Step& waiting : m_queue) {
    if (waiting.job == step.job) {
      waiting.again = waiting.again || step.again;
    }
  }
}

void SynchronizerTask::wake_delayed() {
  const std::scoped_lock lock(m_mutex);
  const auto now = Steady::now();
  const auto due =
      std::partition(m_delayed.begin(), m_delayed.end(), [&](const auto& item) { return item.first > now; });
  for (auto item = due; item != m_delayed.end(); ++item) {
    m_queue.push_back(std::move(item->second));
    m_changed.notify_one();
  }
  m_delayed.erase(due, m_delayed.end());
}

void SynchronizerTask::drop_everything() {
  const std::scoped_lock lock(m_mutex);
  m_queue.clear();
  m_delayed.clear();
  m_queued.clear();
}

std::optional<Step> SynchronizerTask::take() {
  std::unique_lock lock(m_mutex);
  while (!m_over) {
    // A job in work waits for its worker to come back; others go first.
    const auto found =
        std::find_if(m_queue.begin(), m_queue.end(), [&](const Step& step) { return m_in_work.count(step.job) == 0; });
    if (found != m_queue.end()) {
      Step step = std::move(*found);
      m_queue.erase(found);
      m_queued.erase(step.job);
      m_in_work.insert(step.job);
      return step;
    }
    m_changed.wait(lock);
  }
  return std::nullopt;
}

void SynchronizerTask::work() {
  std::optional<Parts> parts;
  std::optional<Synchronizer> synchronizer;
  std::string told;
  while (const auto step = take()) {
    bool done = false;
    try {
      done = carry_out(parts, synchronizer, *step);
      told.clear();
    } catch (const std::exception& problem) {
      const auto* error = dynamic_cast<const Error*>(&problem);
      const bool interrupted = error != nullptr && error->kind() == ErrorKind::interrupted;
      if (!interrupted && told != problem.what()) {
        told = problem.what();
        log::error("synchronizer: '" + step->job + "': " + told);
      }
    }
    const std::scoped_lock lock(m_mutex);
    m_in_work.erase(step->job);
    if (!done && m_leadership.held() && m_queued.insert(step->job).second) {
      m_delayed.emplace_back(Steady::now() + k_delay, *step);
    }
    m_changed.notify_all();
  }
}

bool SynchronizerTask::carry_out(std::optional<Parts>& parts, std::optional<Synchronizer>& synchronizer,
                                 const Step& step) {
  if (!parts) {
    parts.emplace(m_options, m_make_target, m_clock);
    synchronizer.emplace(parts->context);
  }
  if (!m_leadership.held()) {
    return true;
  }
  synchronizer->set_fence(m_leadership.fence());
  const long long before = parts->store.desired_revision();
  if (!synchronizer->try_step(step)) {
    return false;
  }
  // What was wanted may have changed while this job was worked on, and a plan made meanwhile could not see the result.
  if (parts->store.desired_revision() != before) {
    const std::scoped_lock lock(m_mutex);
    m_revision = -1;
  }
  return true;
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/synchronizer.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "control/embedded/notifications.hpp"
#include "vdk/control/counters.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

/// 1, 2, 4 … minutes, at most an hour.
std::chrono::minutes back_off(int attempts) {
  constexpr std::chrono::minutes most{60};
  return std::min(std::chrono::minutes(1LL << std::clamp(attempts - 1, 0, 6)), most);
}

std::filesystem::path lock_of(const Context& context, const std::string& job) {
  const auto folder = context.options.home / "locks";
  files::make_private_directory(folder);
  return folder / ("rollout-" + job);
}

}  // namespace

void Synchronizer::check_fence() {
  if (m_fence) {
    m_context.store.check_fencing(m_fence->lease, m_fence->number);
  }
}

void Synchronizer::note_failure(const Desired& desired, const Error& problem) {
  const bool user = problem.kind() == ErrorKind::user_code;
  const auto status = user ? DeploymentStatus::user_error : DeploymentStatus::platform_error;
  const int attempts = desired.attempts + 1;
  std::string message = problem.what();
  if (!problem.text().countermeasures.empty()) {
    message += " (" + problem.text().countermeasures + ")";
  }
  const std::string& name = desired.deployment.job_name;
  Store& store = m_context.store;
  Store::Write write(store);
  check_fence();
  store.lock_job(name);
  const auto job = store.find_job(name);
  const auto present = store.desired(name);
  // Whoever asked for something else meanwhile gets the outcome of that.
  if (job && present && present->deployment.version_hash == desired.deployment.version_hash) {
    store.set_outcome(name, desired.deployment.version_hash, status, message, attempts,
                      m_context.clock.now() + back_off(attempts));
    Notifier(m_context.options, m_context.clock, store).deployment_ended(*job, *present, problem);
  }
  write.commit();
  ++counters().rollouts_failed;
  count_rollout(name, status);
  if (m_background) {
    log::warning("the deployment of '" + name + "' failed: " + problem.what());
  }
}

/// `running` is absent when the rows agree already.
void Synchronizer::note_success(const Desired& desired, const std::optional<Deployment>& running) {
  const std::string& name = desired.deployment.job_name;
  Store& store = m_context.store;
  Store::Write write(store);
  check_fence();
  store.lock_job(name);
  if (running) {
    store.put_actual(*running);
  }
  const auto job = store.find_job(name);
  const auto present = store.desired(name);
  if (job && present && present->deployment.version_hash == desired.deployment.version_hash) {
    store.set_outcome(name, desired.deployment.version_hash, DeploymentStatus::success, {}, 0, std::nullopt);
    if (running) {
      Notifier(m_context.options, m_context.clock, store).deployment_ended(*job, *present, std::nullopt);
    }
  }
  write.commit();
}

void Synchronizer::remove(const std::string& job) {
  m_context.target.remove(job);
  failpoint("synchronizer.removed");
  Store::Write write(m_context.store);
  check_fence();
  m_context.store.lock_job(job);
  m_context.store.delete_actual(job);
  write.commit();
}

/// A remove that died between the target and the store, or a job deleted by a process that was killed.
void Synchronizer::remove_stranger(const std::string& job) {
  if (!m_context.store.desired(job) && !m_context.store.actual(job)) {
    m_context.target.remove(job);
  }
}

/// Let the target have `deployment` and complete it by what the target found out.
void Synchronizer::hand_over(Deployment& deployment, const std::string& team, const std::optional<Deployment>& actual,
                             const target::Progress& progress) {
  target::DeploymentSpec spec = make_spec(m_context.options, team, deployment);
  spec.version_hash = deployment.version_hash;
  if (actual && !supports_python(m_context.options, deployment.python_version)) {
    spec.interpreter = actual->interpreter;  // what it has been running with
  }
  const auto applied = m_context.target.apply(
      spec,
      [&](const std::filesystem::path& folder) {
        m_context.sources.write(deployment.job_name, deployment.job_version, folder);
      },
      progress);
  deployment.interpreter = spec.interpreter;
  deployment.environment = applied.environment;
  deployment.resolved_requirements = applied.resolved_requirements;
}

/// The runtime lost what ran, and what is wanted instead cannot be rolled out: what ran comes back.
void Synchronizer::repair(Deployment actual) {
  const auto owner = m_context.store.find_job(actual.job_name);
  if (!owner) {
    return;
  }
  try {
    const Deployment before = actual;
    hand_over(actual, owner->team, before, {});
  } catch (const Error& problem) {
    if (problem.kind() == ErrorKind::interrupted) {
      throw;
    }
    log::warning("the deployment of '" + actual.job_name + "' cannot be repaired: " + problem.what());
  } catch (const std::exception& problem) {
    log::warning("the deployment of '" + actual.job_name + "' cannot be repaired: " + problem.what());
  }
}

void Synchronizer::apply(const Desired& desired, const std::optional<Deployment>& actual,
                         const target::Progress& progress) {
  const Deployment& wanted = desired.deployment;
  const auto owner = m_context.store.find_job(wanted.job_name);
  if (!owner) {
    return;
  }
  Deployment running = wanted;
  try {
    // Without any Python the target says what is missing.
    if (!wanted.python_version.empty() && !supports_python(m_context.options, wanted.python_version) &&
        (!actual || actual->python_version != wanted.python_version)) {
      throw Error(ErrorKind::platform,
                  {"cannot roll out '" + wanted.job_name + "'",
                   "the control service does not offer Python " + wanted.python_version + " any more",
                   "What ran before goes on running.", "Deploy the job again with a supported version."});
    }
    hand_over(running, owner->team, actual, progress);
    failpoint("synchronizer.applied");
    running.resources = with_defaults(m_context.options, wanted.resources);
  } catch (const Error& problem) {
    if (problem.kind() == ErrorKind::interrupted) {
      throw;  // says nothing about the deployment: the next server goes on with it
    }
    note_failure(desired, problem);
    return;
  } catch (const std::exception& problem) {
    note_failure(desired,
                 Error(ErrorKind::platform, {"cannot roll out '" + wanted.job_name + "'", problem.what(), {}, {}}));
    return;
  }
  note_success(desired, running);
  ++counters().rollouts_successful;
  count_rollout(wanted.job_name, DeploymentStatus::success);
}

void Synchronizer::work(const Step& step, const target::Progress& progress) {
  Store& store = m_context.store;
  if (step.stranger) {
    remove_stranger(step.job);
    return;
  }
  const auto desired = store.desired(step.job);
  const auto actual = store.actual(step.job);
  if (!desired) {
    if (actual) {
      remove(step.job);
    }
    return;
  }
  if (!step.again && actual && actual->version_hash == desired->deployment.version_hash) {
    if (desired->deployment.status != DeploymentStatus::success) {
      note_success(*desired, std::nullopt);
    }
    return;
  }
  const DeploymentStatus status = desired->deployment.status;
  const bool failed = status == DeploymentStatus::user_error || status == DeploymentStatus::platform_error;
  if (step.again && failed && actual && actual->version_hash != desired->deployment.version_hash) {
    repair(*actual);
    return;
  }
  apply(*desired, actual, progress);
  failpoint("synchronizer.stored");
}

void Synchronizer::roll_out(const std::string& job, bool again, const target::Progress& progress) {
  const files::FileLock lock = files::FileLock::acquire(lock_of(m_context, job));
  work({.job = job, .again = again}, progress);
}

bool Synchronizer::try_step(const Step& step) {
  const auto lock = files::FileLock::try_acquire(lock_of(m_context, step.job));
  if (lock) {
    m_background = true;
    work(step, {});
  }
  return lock.has_value();
}

/// The administrator may have changed what a Python version or a default means. A deployment whose version is not
/// offered any more goes on as it is.
void Synchronizer::rehash() {
  Store& store = m_context.store;
  std::map<std::string, std::string> teams;
  for (const JobOverview& item : store.overview({}, 0)) {
    teams[item.job.job_name] = item.job.team;
  }
  for (const Desired& item : store.all_desired()) {
    const Deployment& deployment = item.deployment;
    const auto team = teams.find(deployment.job_name);
    if (team == teams.end()) {
      continue;
    }
    if (!supports_python(m_context.options, deployment.python_version)) {
      if (!deployment.python_version.empty() && m_warned.insert(deployment.python_version).second) {
        log::warning("Python " + deployment.python_version + " is not offered any more; '" + deployment.job_name +
                     "' and every other job that was deployed with it go on with the Python they have");
      }
      continue;
    }
    m_warned.erase(deployment.python_version);
    const std::string hash = make_spec(m_context.options, team->second, deployment).version_hash;
    if (hash == deployment.version_hash) {
      continue;
    }
    Store::Write write(store);
    check_fence();
    store.lock_job(deployment.job_name);
    auto present = store.desired(deployment.job_name);
    if (present && present->deployment.version_hash == deployment.version_hash) {
      present->deployment.version_hash = hash;
      present->deployment.status = DeploymentStatus::none;
      present->user_initiated = false;
      present->attempts = 0;
      present->retry_at.reset();
      store.put_desired(*present);
    }
    write.commit();
  }
}

void Synchronizer::inspect_target(std::vector<Step>& steps) {
  std::set<std::string> known;
  for (const Step& step : steps) {
    known.insert(step.job);
  }
  const auto present = m_context.target.list();
  for (const auto& [job, hash] : m_context.store.actual_hashes()) {
    const auto found = present.find(job);
    const bool differs = found == present.end() || found->second != hash;
    if (known.insert(job).second && differs) {
      steps.push_back({.job = job, .again = true});
    }
  }
  for (const auto& item : present) {
    if (known.count(item.first) == 0 && !m_context.store.desired(item.first)) {
      steps.push_back({.job = item.first, .stranger = true});
    }
  }
}

std::vector<Step> Synchronizer::plan(bool inspect) {
  if (inspect) {
    rehash();
  }
  std::vector<Step> steps;
  for (std::string& job : m_context.store.unwanted()) {
    steps.push_back({.job = std::move(job)});
  }
  for (std::string& job : m_context.store.out_of_step(m_context.clock.now())) {
    steps.push_back({.job = std::move(job)});
  }
  if (inspect) {
    inspect_target(steps);
  }
  return steps;
}

int Synchronizer::pass(bool inspect) {
  const std::vector<Step> steps = plan(inspect);
  for (const Step& step : steps) {
    log::debug("synchronizer: " + step.job);
    const files::FileLock lock = files::FileLock::acquire(lock_of(m_context, step.job));
    work(step, {});
  }
  return static_cast<int>(steps.size());
}

}  // namespace vdk::control

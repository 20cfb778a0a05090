// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/synchronizer.hpp"

#include <algorithm>
#include <chrono>

#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

/// 1, 2, 4 … minutes, at most an hour.
std::chrono::minutes back_off(int attempts) {
  return std::chrono::minutes(1LL << std::min(attempts - 1, 6)) > std::chrono::minutes(60)
             ? std::chrono::minutes(60)
             : std::chrono::minutes(1LL << std::min(attempts - 1, 6));
}

}  // namespace

void Synchronizer::note_failure(const Desired& desired, const Error& problem) {
  const bool user = problem.kind() == ErrorKind::user_code;
  const auto status = user ? DeploymentStatus::user_error : DeploymentStatus::platform_error;
  const int attempts = desired.attempts + 1;
  std::string message = problem.what();
  if (!problem.text().countermeasures.empty()) {
    message += " (" + problem.text().countermeasures + ")";
  }
  m_context.store.set_outcome(desired.deployment.job_name, desired.deployment.version_hash, status, message, attempts,
                              m_context.clock.now() + back_off(attempts));
}

void Synchronizer::remove(const std::string& job) {
  m_context.target.remove(job);
  failpoint("synchronizer.removed");
  Store::Write write(m_context.store);
  m_context.store.delete_actual(job);
  write.commit();
}

void Synchronizer::roll_out(const std::string& job, bool again, const target::Progress& progress) {
  const files::FileLock lock = files::FileLock::acquire(m_context.options.home / "synchronizer.lock");
  Store& store = m_context.store;
  const auto desired = store.desired(job);
  const auto actual = store.actual(job);
  if (!desired) {
    if (actual) {
      remove(job);
    }
    return;
  }
  const Deployment& wanted = desired->deployment;
  if (!again && actual && actual->version_hash == wanted.version_hash) {
    store.set_outcome(job, wanted.version_hash, DeploymentStatus::success, {}, 0, std::nullopt);
    return;
  }
  try {
    const auto owner = store.find_job(job);
    if (!owner) {
      return;
    }
    target::DeploymentSpec spec = make_spec(m_context.options, owner->team, wanted);
    spec.version_hash = wanted.version_hash;
    const auto applied = m_context.target.apply(
        spec, [&](const std::filesystem::path& folder) { m_context.sources.write(job, wanted.job_version, folder); },
        progress);
    failpoint("synchronizer.applied");
    Deployment running = wanted;
    running.interpreter = spec.interpreter;
    running.environment = applied.environment;
    running.resolved_requirements = applied.resolved_requirements;
    Store::Write write(store);
    store.put_actual(running);
    store.set_outcome(job, wanted.version_hash, DeploymentStatus::success, {}, 0, std::nullopt);
    write.commit();
  } catch (const Error& problem) {
    note_failure(*desired, problem);
  } catch (const std::exception& problem) {
    note_failure(*desired, Error(ErrorKind::platform, {"cannot roll out '" + job + "'", problem.what(), {}, {}}));
  }
  failpoint("synchronizer.stored");
}

/// The administrator may have changed what a Python version means.
void Synchronizer::rehash() {
  for (Desired& desired : m_context.store.all_desired()) {
    const auto job = m_context.store.find_job(desired.deployment.job_name);
    if (!job) {
      continue;
    }
    const std::string hash = make_spec(m_context.options, job->team, desired.deployment).version_hash;
    if (hash == desired.deployment.version_hash) {
      continue;
    }
    Store::Write write(m_context.store);
    const auto present = m_context.store.desired(job->job_name);
    if (present && present->deployment.version_hash == desired.deployment.version_hash) {
      desired.deployment.version_hash = hash;
      desired.deployment.status = DeploymentStatus::none;
      m_context.store.put_desired(desired);
    }
    write.commit();
  }
}

int Synchronizer::pass(bool inspect) {
  int count = 0;
  const auto step = [&](const std::string& job, bool again) {
    ++count;
    log::debug("synchronizer: " + job);
    roll_out(job, again, {});
  };
  if (inspect) {
    rehash();
  }
  for (const std::string& job : m_context.store.unwanted()) {
    step(job, false);
  }
  for (const std::string& job : m_context.store.out_of_step(m_context.clock.now())) {
    step(job, false);
  }
  if (inspect) {
    const auto present = m_context.target.list();
    for (const auto& [job, hash] : m_context.store.actual_hashes()) {
      const auto found = present.find(job);
      if (found == present.end() || found->second != hash) {
        step(job, true);
      }
    }
    for (const auto& [job, hash] : present) {
      // A remove that died between the target and the store, or a job deleted by a process that was killed.
      if (!m_context.store.desired(job) && !m_context.store.actual(job)) {
        const files::FileLock lock = files::FileLock::acquire(m_context.options.home / "synchronizer.lock");
        if (!m_context.store.desired(job)) {
          m_context.target.remove(job);
          ++count;
        }
      }
    }
  }
  return count;
}

}  // namespace vdk::control

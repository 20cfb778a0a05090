// SPDX-License-Identifier: Apache-2.0
// The side of an execution's folder that the supervisor process (`vdk __execute DIR`) works on.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "target/local/deployments.hpp"
#include "target/local/execution_folder.hpp"
#include "target/local/processes.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"

namespace vdk::target {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Held to the end of the process, even of one that exits through std::exit in the middle.
void hold_for_ever(files::FileLock lock) { new files::FileLock(std::move(lock)); }  // NOLINT: meant to leak

/// The lock; nothing when the execution has been claimed. Somebody who only looks may hold it for a moment.
std::optional<files::FileLock> lock_unclaimed(const local::ExecutionFolder& folder) {
  while (!fs::exists(folder.started())) {
    if (auto lock = files::FileLock::try_acquire(folder.lock())) {
      return lock;
    }
    std::this_thread::sleep_for(2ms);
  }
  return std::nullopt;
}

Error damaged(const fs::path& file, const std::string& id) {
  return {ErrorKind::platform,
          {"cannot run execution '" + id + "'", "'" + file.string() + "' is missing or damaged",
           "the execution ends without running the job", "deploy the job again with 'vdk deploy' and start it anew"}};
}

void limit_memory(int mebibytes) {
  // Not the address space: runtimes reserve far more of it than they ever use.
  const auto bytes = static_cast<rlim_t>(mebibytes) * 1024 * 1024;
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);
}

/// As many processors as the limit asks for, rounded up, starting at a different one for each process.
void limit_processors(double cores) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return;
  }
  const int available = CPU_COUNT(&allowed);
  const int wanted = static_cast<int>(std::ceil(cores));
  if (available == 0 || wanted < 1 || wanted >= available) {
    return;
  }
  std::vector<std::size_t> processors;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) {
      processors.push_back(i);
    }
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (int i = 0; i < wanted; ++i) {
    CPU_SET(processors[static_cast<std::size_t>(::getpid() + i) % processors.size()], &chosen);
  }
  ::sched_setaffinity(0, sizeof chosen, &chosen);
}

/// The limit that may have ended the run, as far as the texts tell.
std::string explain_limit(const fs::path& directory, const std::string& status, const std::string& message) {
  rlimit limit{};
  if (status == "Success" || ::getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return message;
  }
  std::string evidence = message;
  try {
    const std::string log = files::read_if_exists(directory / "log").value_or("");
    evidence += log.substr(log.size() - std::min<std::size_t>(log.size(), 65536));
  } catch (const Error&) {
    evidence = message;
  }
  for (const char* sign : {"MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory"}) {
    if (evidence.find(sign) != std::string::npos) {
      return message + (message.empty() ? "" : "\n") + "The job reached its memory limit of " +
             std::to_string(limit.rlim_cur / (1024UL * 1024UL)) + " MiB.";
    }
  }
  return message;
}

}  // namespace

std::optional<LocalExecution> begin_local_execution(const std::filesystem::path& directory) {
  const local::ExecutionFolder folder(directory);
  auto lock = lock_unclaimed(folder);
  if (!lock || fs::exists(folder.cancelled()) || !folder.claim()) {
    return std::nullopt;
  }
  hold_for_ever(std::move(*lock));
  ::setsid();  // the group that a cancel signals; fails when this is a session leader already, which is as good
  if (const auto identity = process::identity(::getpid())) {
    files::write_atomic(folder.spawned(), *identity, 0600);
  }
  failpoint("target.begin.after_claim");
  const auto spec = folder.read_spec();
  if (!spec) {
    throw damaged(folder.spec(), directory.filename().string());
  }
  const local::Deployments deployments(directory.parent_path().parent_path());
  const auto deployment = deployments.read(spec->job_name, spec->version_hash);
  if (!deployment) {
    throw damaged(deployments.folder(spec->job_name, spec->version_hash), spec->id);
  }
  return LocalExecution{*spec, deployment->spec, deployments.folder(spec->job_name, spec->version_hash) / "job",
                        deployments.environments().python(deployment->applied.environment)};
}

void confine_local_execution(const LocalExecution& execution) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (execution.deployment.memory_limit && *execution.deployment.memory_limit > 0) {
    limit_memory(*execution.deployment.memory_limit);
  }
  if (execution.deployment.cpu_limit && *execution.deployment.cpu_limit > 0) {
    limit_processors(*execution.deployment.cpu_limit);
  }
}

void finish_local_execution(const std::filesystem::path& directory, const std::string& termination_status,
                            const std::string& message, TimePoint start_time, TimePoint end_time) {
  const local::ExecutionFolder folder(directory);
  // What the job left behind ends with it, as it would in a container.
  local::kill_marked_processes(local::ExecutionFolder::mark, directory.string());
  local::ResultDocument result{termination_status, explain_limit(directory, termination_status, message), start_time,
                               end_time};
  if (fs::exists(folder.cancelled())) {
    result.termination_status = "Cancelled";
    result.message = "Job execution cancelled by user.";
  }
  failpoint("target.finish.before_result");
  files::write_atomic(folder.result(), local::serialize(result), 0600);
}

}  // namespace vdk::target

// SPDX-License-Identifier: Apache-2.0
// The side of an execution's folder that the supervisor process (`vdk __execute DIR`) works on.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "target/local/cgroup.hpp"
#include "target/local/deployments.hpp"
#include "target/local/execution_folder.hpp"
#include "target/local/limits.hpp"
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

/// Set by begin_local_execution for the thread that watches the deadline.
fs::path& own_directory() {
  static fs::path directory;
  return directory;
}
TimePoint& own_start() {
  static TimePoint start;
  return start;
}

/// For an execution that does not end by itself, however often it is asked to.
void give_up() {
  finish_local_execution(own_directory(), "User error", {}, own_start(), SystemClock().now());
  ::_exit(1);
}

}  // namespace

std::optional<LocalExecution> begin_local_execution(const std::filesystem::path& directory) {
  const local::ExecutionFolder folder(directory);
  auto lock = lock_unclaimed(folder);
  if (!lock || fs::exists(folder.cancelled()) || !folder.claim()) {
    return std::nullopt;
  }
  hold_for_ever(std::move(*lock));
  own_directory() = directory;
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
  own_start() = SystemClock().now();
  if (rlimit core{}; ::getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;  // a core file would hold the job's secrets; a job that wants one may raise the limit again
    (void)::setrlimit(RLIMIT_CORE, &core);
  }
  local::watch_deadline(own_directory(), local::execution_deadline(), give_up);  // its stack is not the job's memory
  local::apply_limits(execution.deployment);
}

fs::path local_execution_events(const fs::path& directory) { return local::ExecutionFolder(directory).events(); }

void note_local_execution(const fs::path& directory, const std::string& text) {
  // One write of a few bytes, not made durable: after a crash nobody asks for it.
  const int file =
      ::open(local::ExecutionFolder(directory).step().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0) {
    (void)!::write(file, text.data(), text.size());
    ::close(file);
  }
}

void finish_local_execution(const std::filesystem::path& directory, const std::string& termination_status,
                            const std::string& message, TimePoint start_time, TimePoint end_time) {
  // The main thread and the one that watches the deadline may come at the same time; the first one has the word.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const local::ExecutionFolder folder(directory);
  if (fs::exists(folder.result())) {
    return;
  }
  // What the job left behind ends with it, as it would in a container.
  local::kill_marked_processes(local::ExecutionFolder::mark, directory.string());
  const local::LimitVerdict verdict = local::explain_limits(directory, termination_status, message);
  local::ResultDocument result{verdict.ended_by_limit ? "User error" : termination_status, verdict.message, start_time,
                               end_time};
  if (fs::exists(folder.cancelled())) {
    result.termination_status = "Cancelled";
    result.message = "Job execution cancelled by user.";
  }
  failpoint("target.finish.before_result");
  files::write_atomic(folder.result(), local::serialize(result), 0600);
  local::leave_own_cgroup();
}

}  // namespace vdk::target

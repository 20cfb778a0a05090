// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vdk/target/target.hpp"

namespace vdk::target {

/// A Python that was run once and believed.
struct Interpreter {
  std::string version;         ///< "3.11"
  std::string implementation;  ///< "CPython" | "PyPy"
  std::string full_version;    ///< "3.11.2"
  std::filesystem::path path;
};

/// Interpreters on PATH (`python3`, `python3.N`, `pypy3`), each run once before it is believed; CPython wins where two
/// have the same version; newest version first. The answer is cached in `cache_file` by path, size and time stamp; pass
/// an empty path for no cache.
[[nodiscard]] std::vector<Interpreter> discover_interpreters(const std::filesystem::path& cache_file);
/// Ask one interpreter for its version; nothing when it does not run.
[[nodiscard]] std::optional<Interpreter> probe_interpreter(const std::filesystem::path& path);

/// Deployments as folders, shared virtual environments, executions as detached `vdk __execute DIR` processes, below
/// `home`:
///   deployments/JOB/HASH/{job/,spec.json}   deployments/JOB/current -> HASH
///   environments/KEY/                       content-addressed, renamed into place
///   executions/ID/{spec.json,lock,started,log,events.jsonl,step,result.json}
/// Once `stop` is true (when given, it outlives the target) an environment that is being built is given up:
/// Error(interrupted).
[[nodiscard]] std::unique_ptr<Target> make_local_target(const std::filesystem::path& home,
                                                        const std::filesystem::path& vdk_executable,
                                                        const std::atomic<bool>* stop = nullptr);

/// The folder of one execution as its supervisor sees it (hidden command `vdk __execute DIR`).
struct LocalExecution {
  ExecutionSpec spec;
  DeploymentSpec deployment;
  std::filesystem::path job_directory;
  std::filesystem::path interpreter;  ///< of the environment
};
/// Read spec.json, take the lock, create `started` exclusively. Nothing when this execution has been started before.
/// The lock is held until the process ends.
[[nodiscard]] std::optional<LocalExecution> begin_local_execution(const std::filesystem::path& directory);
/// Apply rlimits, become a session leader, note the process identity.
void confine_local_execution(const LocalExecution& execution);
/// Where the events of the execution go.
[[nodiscard]] std::filesystem::path local_execution_events(const std::filesystem::path& directory);
/// What observe() says of it while it runs; trouble is ignored.
void note_local_execution(const std::filesystem::path& directory, const std::string& text);
/// Write result.json atomically.
void finish_local_execution(const std::filesystem::path& directory, const std::string& termination_status,
                            const std::string& message, TimePoint start_time, TimePoint end_time);

}  // namespace vdk::target

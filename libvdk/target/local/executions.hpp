// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "target/local/execution_folder.hpp"
#include "vdk/target/target.hpp"

namespace vdk::target::local {

/// Executions as folders with one detached supervisor process each. Holds no state: every process that uses the same
/// home sees the same executions, also after a restart.
class Executions {
 public:
  Executions(const std::filesystem::path& home, std::filesystem::path vdk_executable);

  /// Records and spawns. `deployment_exists` is asked after the record is on disk, from where on the deployment is
  /// kept.
  void start(const ExecutionSpec& spec, const std::function<bool()>& deployment_exists);
  void cancel(const std::string& id);
  [[nodiscard]] ExecutionObservation observe(const std::string& id) const;
  [[nodiscard]] std::string logs(const std::string& id, int tail_lines) const;
  void forget(const std::string& id);
  /// Version hashes of `job_name` that an unfinished execution still needs.
  [[nodiscard]] std::set<std::string> hashes_in_use(const std::string& job_name) const;

 private:
  [[nodiscard]] ExecutionFolder folder(const std::string& id) const;
  void spawn(const ExecutionFolder& folder) const;
  static void end_processes(const ExecutionFolder& folder);

  std::filesystem::path m_directory;
  std::filesystem::path m_vdk_executable;
};

}  // namespace vdk::target::local

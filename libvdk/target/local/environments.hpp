// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "target/local/requirements.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/target/local.hpp"

namespace vdk::target::local {

/// An environment that is complete and that stays for as long as this object lives.
struct ReadyEnvironment {
  std::string key;
  std::vector<std::string> resolved_requirements;
  bool built = false;
  files::FileLock lock;  ///< keeps the collection of unused environments away until somebody refers to the key
};

/// Virtual environments below `home`/environments, addressed by what is in them.
///
/// Scripts in a virtual environment name its absolute path, so one cannot be built elsewhere and renamed into place. It
/// is built where it stays, under a lock per key, and counts only once the file `complete` is in it, which is written
/// last.
class Environments {
 public:
  /// `stop`: see make_local_target.
  explicit Environments(const std::filesystem::path& home, const std::atomic<bool>* stop = nullptr);

  /// The environment for this interpreter and the requirements of the job in `job_directory`; built when missing.
  [[nodiscard]] ReadyEnvironment ensure(const std::string& interpreter, const std::string& python_version,
                                        const std::filesystem::path& job_directory, const Progress& progress);
  [[nodiscard]] bool is_complete(const std::string& key) const;
  [[nodiscard]] std::filesystem::path python(const std::string& key) const;
  /// Delete environments that nobody builds and whose key is not in what `used` returns.
  void collect(const std::function<std::set<std::string>()>& used);

 private:
  [[nodiscard]] bool is_stopped() const;
  [[nodiscard]] files::FileLock lock(const std::string& key) const;
  process::Result run_tool(std::vector<std::string> argv, const std::filesystem::path& directory,
                           const std::filesystem::path& environment, const Progress& progress) const;
  void build(const std::filesystem::path& directory, const Interpreter& interpreter, const Requirements& requirements,
             const std::filesystem::path& job_directory, const Progress& progress);

  std::filesystem::path m_directory;
  std::filesystem::path m_interpreter_cache;
  const std::atomic<bool>* m_stop;
};

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/embedded/store.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control {

namespace git {
class Repository;
}

/// The sources of all jobs in one git repository, a folder per job on one branch: a bare repository in the home or on a
/// path that several servers share, or a remote one behind a mirror in the home. The git library is loaded at first
/// use.
class Sources {
 public:
  Sources(std::filesystem::path home, SourceOptions options, std::string user);
  Sources(std::filesystem::path home, std::string user) : Sources(std::move(home), SourceOptions{}, std::move(user)) {}
  ~Sources();
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  /// The author of what is committed from now on.
  void set_user(std::string user);
  /// Where a person finds the sources of a job; empty when they are in the home only.
  [[nodiscard]] std::string url(const std::string& job) const;

  /// Commit `directory` as the folder of `job`, unless it is there already; the version is the last commit that touched
  /// it. `known` is what an earlier call returned, and saves the walk through the history.
  [[nodiscard]] SourceRecord commit(const std::string& job, const std::filesystem::path& directory,
                                    const std::string& reason, TimePoint now, const std::optional<SourceRecord>& known);
  /// Commit the removal of a job's folder; missing is fine. An empty `reason` gives the usual message.
  void remove(const std::string& job, TimePoint now, const std::string& reason = {});
  /// The newest version; nothing when the job has no sources.
  [[nodiscard]] std::optional<std::string> head_version(const std::string& job);
  /// The full id of a version of this job, given whole or by an unambiguous beginning of at least four characters.
  [[nodiscard]] std::string resolve(const std::string& job, const std::string& version);
  /// Write the files of that version into `directory`.
  void write(const std::string& job, const std::string& version, const std::filesystem::path& directory);
  /// Newest first, at most `limit`.
  [[nodiscard]] std::vector<std::string> versions(const std::string& job, std::size_t limit);

 private:
  [[nodiscard]] git::Repository& repository();
  [[nodiscard]] std::filesystem::path path() const;
  /// The lock under which references change.
  [[nodiscard]] files::FileLock lock_references() const;
  /// Brings the mirror of a remote repository in step with it; the caller has the lock.
  void pull();
  /// pull() under the lock; false when there is no remote repository.
  bool refresh();
  /// Makes `tree_oid` (empty = nothing) the folder of the job and returns the new version; nothing when it is that
  /// already.
  [[nodiscard]] std::optional<std::string> replace(const std::string& job, const std::string& tree_oid,
                                                   const std::string& message, TimePoint now);
  /// Makes a new commit the head of the branch everywhere; false when somebody else was faster.
  [[nodiscard]] bool publish(const std::string& commit, const std::string& parent);
  [[nodiscard]] std::optional<std::string> find(const std::string& job, const std::string& version,
                                                std::vector<std::string>& candidates);
  std::filesystem::path m_home;
  SourceOptions m_options;
  std::string m_user;
  bool m_remote = false;  ///< the address is no path
  std::unique_ptr<git::Repository> m_repository;
};

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "target/local/documents.hpp"
#include "target/local/environments.hpp"

namespace vdk::target::local {

/// deployments/JOB/HASH/{job/,deployment.json} and deployments/JOB/current -> HASH below a home. A folder HASH is
/// written elsewhere, brought to the disk and renamed: it is there as a whole or not at all.
class Deployments {
 public:
  using HashesInUse = std::function<std::set<std::string>(const std::string& job_name)>;

  explicit Deployments(const std::filesystem::path& home, const std::atomic<bool>* stop = nullptr);

  AppliedDeployment apply(const DeploymentSpec& spec,
                          const std::function<void(const std::filesystem::path&)>& write_sources,
                          const Progress& progress, const HashesInUse& in_use);
  void remove(const std::string& job_name, const HashesInUse& in_use);
  /// Reads again only what changed since this object looked last.
  [[nodiscard]] std::map<std::string, std::string> list() const;

  [[nodiscard]] std::filesystem::path folder(const std::string& job_name, const std::string& version_hash) const;
  /// What is deployed there; nothing when it is missing, damaged, or its environment is.
  [[nodiscard]] std::optional<DeploymentDocument> read(const std::string& job_name,
                                                       const std::string& version_hash) const;
  [[nodiscard]] const Environments& environments() const { return m_environments; }

 private:
  /// What the file of a deployment said when it had this stamp.
  struct Seen {
    std::string stamp;
    std::string environment;  ///< empty: it was damaged
  };
  [[nodiscard]] const std::string& environment_of(const std::string& job_name, const std::string& version_hash) const;
  [[nodiscard]] files::FileLock lock_job(const std::string& job_name) const;
  [[nodiscard]] std::optional<std::string> current(const std::string& job_name) const;
  void switch_current(const std::string& job_name, const std::string& version_hash) const;
  AppliedDeployment stage(const DeploymentSpec& spec,
                          const std::function<void(const std::filesystem::path&)>& write_sources,
                          const Progress& progress);
  /// Delete what crashed applies left and the folders beyond the `keep` newest that no execution needs.
  void prune(const std::string& job_name, std::size_t keep, const std::set<std::string>& in_use) const;
  [[nodiscard]] std::set<std::string> environments_in_use() const;

  std::filesystem::path m_directory;
  std::filesystem::path m_locks;
  Environments m_environments;
  mutable std::map<std::string, Seen> m_seen;  ///< by path
};

}  // namespace vdk::target::local

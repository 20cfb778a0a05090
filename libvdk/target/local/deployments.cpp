// SPDX-License-Identifier: Apache-2.0
#include "target/local/deployments.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "target/local/execution_folder.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_deployments = 3;

/// Deletes a folder so that nobody ever takes what is left for a whole one.
void remove_deployment(const fs::path& directory) {
  std::error_code ignored;
  fs::remove(directory / "deployment.json", ignored);
  files::remove_tree(directory);
}

}  // namespace

Deployments::Deployments(const std::filesystem::path& home, const std::atomic<bool>* stop)
    : m_directory(home / "deployments"), m_locks(home / "locks"), m_environments(home, stop) {}

std::filesystem::path Deployments::folder(const std::string& job_name, const std::string& version_hash) const {
  check_folder_name(job_name, "the name of a job");
  check_folder_name(version_hash, "the hash of a deployment");
  return m_directory / job_name / version_hash;
}

files::FileLock Deployments::lock_job(const std::string& job_name) const {
  check_folder_name(job_name, "the name of a job");
  files::make_private_directory(m_locks);
  return files::FileLock::acquire(m_locks / ("deployment-" + job_name));
}

std::optional<std::string> Deployments::current(const std::string& job_name) const {
  std::error_code error;
  const fs::path target = fs::read_symlink(m_directory / job_name / "current", error);
  return error ? std::nullopt : std::optional<std::string>(target.string());
}

std::optional<DeploymentDocument> Deployments::read(const std::string& job_name,
                                                    const std::string& version_hash) const {
  const fs::path directory = folder(job_name, version_hash);
  const auto content = files::read_if_exists(directory / "deployment.json");
  auto document = content ? parse_deployment(*content) : std::nullopt;
  const bool whole = document && document->spec.version_hash == version_hash && fs::is_directory(directory / "job") &&
                     m_environments.is_complete(document->applied.environment);
  return whole ? document : std::nullopt;
}

AppliedDeployment Deployments::apply(const DeploymentSpec& spec,
                                     const std::function<void(const std::filesystem::path&)>& write_sources,
                                     const Progress& progress, const HashesInUse& in_use) {
  const auto lock = lock_job(spec.job_name);
  if (const auto present = read(spec.job_name, spec.version_hash)) {
    if (current(spec.job_name) != spec.version_hash) {
      switch_current(spec.job_name, spec.version_hash);
    }
    return present->applied;
  }
  files::make_private_directory(m_directory);
  files::make_private_directory(m_directory / spec.job_name);
  const AppliedDeployment applied = stage(spec, write_sources, progress);
  prune(spec.job_name, kept_deployments, in_use(spec.job_name));
  return applied;
}

AppliedDeployment Deployments::stage(const DeploymentSpec& spec,
                                     const std::function<void(const std::filesystem::path&)>& write_sources,
                                     const Progress& progress) {
  const fs::path parent = m_directory / spec.job_name;
  files::TemporaryDirectory staging(parent, ".staging");
  const fs::path sources = staging.path() / "job";
  files::make_private_directory(sources);
  write_sources(sources);
  // Its lock stays held until `deployment.json` with its key is in place.
  const ReadyEnvironment environment = m_environments.ensure(spec.interpreter, spec.python_version, sources, progress);
  const AppliedDeployment applied{environment.key, environment.resolved_requirements, environment.built};
  files::write_atomic(staging.path() / "deployment.json", serialize(DeploymentDocument{spec, applied}), 0600);
  files::sync_tree(staging.path());
  failpoint("target.apply.before_rename");
  const fs::path directory = parent / spec.version_hash;
  if (fs::exists(directory)) {
    remove_deployment(directory);  // damaged, else we would not be here
  }
  fs::rename(staging.path(), directory);
  staging.keep();
  files::sync_directory(parent);
  failpoint("target.apply.before_switch");
  switch_current(spec.job_name, spec.version_hash);
  failpoint("target.apply.after_switch");
  return applied;
}

void Deployments::switch_current(const std::string& job_name, const std::string& version_hash) const {
  const fs::path parent = m_directory / job_name;
  const fs::path temporary = parent / ".current";
  std::error_code ignored;
  fs::remove(temporary, ignored);
  fs::create_symlink(version_hash, temporary);
  fs::rename(temporary, parent / "current");
  // The order among the kept deployments is that of their activation.
  fs::last_write_time(parent / version_hash, fs::file_time_type::clock::now(), ignored);
  files::sync_directory(parent);
}

void Deployments::prune(const std::string& job_name, std::size_t keep, const std::set<std::string>& in_use) const {
  const fs::path parent = m_directory / job_name;
  const auto active = current(job_name);
  std::vector<std::pair<fs::file_time_type, fs::path>> old;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_symlink() || !entry.is_directory()) {
      continue;
    }
    if (name.starts_with('.')) {
      files::remove_tree(entry.path());
    } else if (name != active && !in_use.contains(name)) {
      old.emplace_back(fs::last_write_time(entry.path(), error), entry.path());
    }
  }
  std::sort(old.begin(), old.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const std::size_t others = active && keep > 0 ? keep - 1 : keep;
  for (std::size_t i = others; i < old.size(); ++i) {
    remove_deployment(old[i].second);
  }
}

void Deployments::remove(const std::string& job_name, const HashesInUse& in_use) {
  const auto lock = lock_job(job_name);
  const fs::path parent = m_directory / job_name;
  if (!fs::exists(parent)) {
    return;
  }
  std::error_code ignored;
  fs::remove(parent / "current", ignored);
  files::sync_directory(parent);
  prune(job_name, 0, in_use(job_name));
  fs::remove(parent, ignored);  // stays while an execution runs from it
  m_environments.collect([this] { return environments_in_use(); });
}

const std::string& Deployments::environment_of(const std::string& job_name, const std::string& version_hash) const {
  const fs::path file = m_directory / job_name / version_hash / "deployment.json";
  struct stat status {};
  Seen& seen = m_seen[file.string()];
  if (::stat(file.c_str(), &status) != 0) {
    seen = {};
    return seen.environment;
  }
  const std::string stamp = std::to_string(status.st_ino) + ":" + std::to_string(status.st_size) + ":" +
                            std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  if (seen.stamp != stamp) {
    const auto content = files::read_if_exists(file);
    const auto document = content ? parse_deployment(*content) : std::nullopt;
    const bool whole = document && document->spec.version_hash == version_hash;
    seen = {stamp, whole ? document->applied.environment : std::string()};
  }
  return seen.environment;
}

std::map<std::string, std::string> Deployments::list() const {
  std::map<std::string, std::string> found;
  std::map<std::string, bool> complete;  // thousands of deployments share a few environments
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(m_directory, error)) {
    const std::string job = entry.path().filename().string();
    const auto hash = job.starts_with('.') ? std::nullopt : current(job);
    const std::string environment = hash ? environment_of(job, *hash) : std::string();
    if (environment.empty() || !fs::is_directory(entry.path() / *hash / "job")) {
      continue;
    }
    if (!complete.contains(environment)) {
      complete[environment] = m_environments.is_complete(environment);
    }
    if (complete[environment]) {
      found.emplace(job, *hash);
    }
  }
  return found;
}

std::set<std::string> Deployments::environments_in_use() const {
  std::set<std::string> keys;
  std::error_code error;
  for (const auto& job : fs::directory_iterator(m_directory, error)) {
    std::error_code job_error;
    for (const auto& entry : fs::directory_iterator(job.path(), job_error)) {
      if (entry.is_symlink()) {
        continue;
      }
      const auto content = files::read_if_exists(entry.path() / "deployment.json");
      const auto document = content ? parse_deployment(*content) : std::nullopt;
      if (document) {
        keys.insert(document->applied.environment);
      }
    }
  }
  return keys;
}

}  // namespace vdk::target::local

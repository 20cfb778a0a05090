// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/deploy_plan.hpp"

#include <filesystem>
#include <map>
#include <set>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::cli {
namespace {

namespace fs = std::filesystem;

/// Relative name -> hash of every file in a packed job.
std::map<std::string, std::string> file_hashes(const std::string& zip) {
  const files::TemporaryDirectory staging;
  const fs::path root = job::unpack(zip, staging.path() / "job");
  std::map<std::string, std::string> hashes;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      const bool runs = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      hashes[entry.path().lexically_relative(root).string()] =
          sha256_hex(files::read(entry.path())) + (runs ? "x" : "");
    }
  }
  return hashes;
}

std::map<std::string, std::string> deployed_files(control::Service& service, const control::DataJob& stored) {
  try {
    return file_hashes(service.download(stored.team, stored.job_name));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
    return {};  // registered, but nothing was ever uploaded
  }
}

std::vector<FileChange> compare(const std::map<std::string, std::string>& before,
                                const std::map<std::string, std::string>& after) {
  std::map<std::string, FileChange> changes;
  for (const auto& [path, hash] : after) {
    const auto old = before.find(path);
    if (old == before.end()) {
      changes[path] = {path, "added"};
    } else if (old->second != hash) {
      changes[path] = {path, "modified"};
    }
  }
  for (const auto& [path, hash] : before) {
    if (!after.contains(path)) {
      changes[path] = {path, "removed"};
    }
  }
  std::vector<FileChange> list;
  for (auto& [path, change] : changes) {
    list.push_back(std::move(change));
  }
  return list;
}

std::string yes_no(bool value) { return value ? "true" : "false"; }

std::vector<SettingChange> job_settings(const std::optional<control::DataJob>& stored, const control::DataJob& wanted) {
  using control::DataJob;
  const auto row = [](const DataJob& job) {
    return std::vector<std::pair<std::string, std::string>>{
        {"team", job.team},
        {"schedule_cron", job.schedule_cron},
        {"db_default_type", job.db_default_type},
        {"enable_execution_notifications", yes_no(job.enable_execution_notifications)},
        {"notification_delay_period_minutes", std::to_string(job.notification_delay_period_minutes)},
        {"notified_on_job_failure_user_error", text::join(job.contacts.notified_on_job_failure_user_error, "; ")},
        {"notified_on_job_failure_platform_error",
         text::join(job.contacts.notified_on_job_failure_platform_error, "; ")},
        {"notified_on_job_success", text::join(job.contacts.notified_on_job_success, "; ")},
        {"notified_on_job_deploy", text::join(job.contacts.notified_on_job_deploy, "; ")}};
  };
  const auto before = stored ? row(*stored) : std::vector<std::pair<std::string, std::string>>{};
  const auto after = row(wanted);
  std::vector<SettingChange> changes;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::string old = before.empty() ? std::string() : before[i].second;
    if (old != after[i].second) {
      changes.push_back({after[i].first, old, after[i].second});
    }
  }
  return changes;
}

}  // namespace

control::DataJob with_config(control::DataJob stored, const job::JobConfig& config) {
  stored.schedule_cron = config.schedule_cron;
  stored.db_default_type = config.db_default_type;
  stored.contacts = config.contacts;
  stored.enable_execution_notifications = config.enable_execution_notifications;
  stored.notification_delay_period_minutes = config.notification_delay_period_minutes;
  return stored;
}

DeployPlan plan_deploy(control::Service& service, const std::optional<control::DataJob>& stored,
                       const control::DataJob& wanted, const control::DeploymentRequest& request,
                       const std::string& zip) {
  DeployPlan plan;
  plan.files =
      compare(stored ? deployed_files(service, *stored) : std::map<std::string, std::string>{}, file_hashes(zip));
  plan.settings = job_settings(stored, wanted);
  std::optional<control::Deployment> now;
  if (stored) {
    now = service.get_deployment(stored->team, stored->job_name);
  }
  const auto add = [&](const char* name, const std::string& from, const std::optional<std::string>& to) {
    if (to && *to != from) {
      plan.settings.push_back({name, from, *to});
    }
  };
  add("python_version", now ? now->python_version : "", request.python_version);
  add("vdk_version", now ? now->vdk_version : "", request.vdk_version);
  const std::optional<bool> enabled = request.enabled || now ? request.enabled : std::optional<bool>(true);
  add("enabled", now ? yes_no(now->enabled) : "", enabled ? std::optional(yes_no(*enabled)) : std::nullopt);
  return plan;
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/backup.hpp"
#include "control/embedded/executions.hpp"
#include "control/embedded/synchronizer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control {
namespace {

/// Why a job could not be restored; nothing when it could.
std::optional<std::string> restore_job(Synchronizer& synchronizer, Store& store, const std::string& job,
                                       const Progress& progress) {
  try {
    synchronizer.roll_out(job, true, progress);
    const auto after = store.desired(job);
    const bool failed = after && after->deployment.status != DeploymentStatus::success;
    return failed ? std::optional(after->deployment.status_message) : std::nullopt;
  } catch (const Error& problem) {
    return problem.what();
  }
}

}  // namespace

std::vector<Finding> restore(const EmbeddedOptions& options, target::Target& target, const Clock& clock,
                             const std::filesystem::path& from, const Progress& progress) {
  files::make_private_directory(options.home);
  if (!from.empty()) {
    load_backup(options, from);
  }
  Store store(options.database, options.home);
  Sources sources(options.home, options.sources, options.caller.user);
  const Context context{options, target, clock, store, sources};
  Synchronizer synchronizer(context);
  const std::vector<Step> out_of_step = synchronizer.plan(true);  // by the present settings
  std::vector<Finding> findings;
  for (const Desired& desired : store.all_desired()) {
    const std::string& job = desired.deployment.job_name;
    if (progress) {
      progress("Restoring '" + job + "' ...");
    }
    if (const auto problem = restore_job(synchronizer, store, job, progress)) {
      findings.push_back({job, *problem, false});
    }
  }
  for (const Step& step : out_of_step) {
    if (!store.desired(step.job)) {
      (void)synchronizer.try_step(step);  // nobody wants it
    }
  }
  Executions(context).refresh(std::string());
  return findings;
}

}  // namespace vdk::control

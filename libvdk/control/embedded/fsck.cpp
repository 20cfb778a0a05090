// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <set>
#include <thread>

#include "control/embedded/executions.hpp"
#include "control/embedded/git_check.hpp"
#include "control/embedded/store_transfer.hpp"
#include "control/embedded/synchronizer.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {
namespace {

/// A row this young may be ahead of the runtime.
constexpr std::chrono::seconds k_grace{60};
/// How long a roll-out may need from the runtime to its row.
constexpr std::chrono::seconds k_second_look{2};

/// One check of the service; collects what it finds.
class Check {
 public:
  Check(const Context& context, bool repair)
      : m_context(context), m_store(context.store), m_git(context.options), m_synchronizer(context), m_repair(repair) {}

  std::vector<Finding> run() {
    database();
    sources();
    executions();
    runtime();
    return std::move(m_findings);
  }

 private:
  void note(std::string subject, std::string problem, bool repaired = false) {
    m_findings.push_back({std::move(subject), std::move(problem), repaired});
  }

  /// True when the repair worked; its trouble is told with the finding.
  template <typename Work>
  bool repaired(std::string& problem, const Work& work) {
    if (!m_repair) {
      return false;
    }
    try {
      return work();
    } catch (const Error& error) {
      problem += "; the repair failed: " + std::string(error.what());
      return false;
    }
  }

  void database() {
    StoreTransfer transfer(m_store);
    for (std::string& problem : transfer.problems()) {
      note("database", std::move(problem));
    }
    for (std::string& problem : transfer.orphans(m_repair)) {
      note("database", std::move(problem), m_repair);
    }
    for (const std::string& job : transfer.orphan_deployments()) {
      std::string problem = "is deployed, but the job does not exist";
      const bool done = repaired(problem, [&] {
        m_synchronizer.roll_out(job, false, {});  // nobody wants it
        return !m_store.actual(job).has_value();
      });
      note(job, std::move(problem), done);
    }
  }

  void sources() {
    for (const Desired& desired : m_store.all_desired()) {
      const std::string& job = desired.deployment.job_name;
      const std::string& version = desired.deployment.job_version;
      if (const auto problem = m_git.problem(job, version)) {
        note(job, "its deployed version " + version + " " + *problem + "; deploy the job's folder again");
      }
    }
    for (const auto& [job, record] : m_store.all_sources()) {
      const auto damage = m_git.problem(job, record.commit_sha);
      if (!damage && m_git.folder(job, record.commit_sha) == record.tree_oid) {
        continue;
      }
      std::string problem = damage ? "its uploaded version " + record.commit_sha + " " + *damage
                                   : std::string("its note of the uploaded sources disagrees with the repository");
      const std::string name = job;
      const bool done = repaired(problem, [&] { return mend_source(name); });
      note(job, std::move(problem), done);
    }
  }

  /// The note only saves a walk through the history, so what the repository says is right.
  bool mend_source(const std::string& job) {
    const auto head = m_context.sources.head_version(job);
    if (head && m_git.problem(job, *head)) {
      return false;
    }
    if (head) {
      m_store.put_source(job, {m_git.folder(job, *head), *head});
    } else {
      m_store.delete_source(job);
    }
    return true;
  }

  void executions() {
    for (const ExecutionRow& row : m_store.unfinished({})) {
      const auto seen = m_context.target.observe(row.execution.id);
      const bool known = seen.phase == target::Phase::running || seen.phase == target::Phase::submitted;
      const auto age = m_context.clock.now() - row.submitted_time;
      if (known || age < k_grace) {
        continue;
      }
      std::string problem = seen.phase == target::Phase::finished ? "is over in the runtime and not in the database"
                            : seen.phase == target::Phase::lost ? "is not over in the database and its process is gone"
                                                                : "is not over and the runtime does not know it";
      const bool done = repaired(problem, [&] {
        Executions(m_context).refresh(row.execution.job_name);
        return true;
      });
      note(row.execution.id, std::move(problem), done);
    }
  }

  struct Mismatch {
    std::string job;
    std::string problem;
    bool stranger = false;  ///< only the runtime has it
    auto operator<=>(const Mismatch&) const = default;
  };

  std::set<Mismatch> mismatches() {
    std::set<Mismatch> result;
    auto present = m_context.target.list();
    for (const auto& [job, hash] : m_store.actual_hashes()) {
      const auto found = present.find(job);
      if (found == present.end()) {
        result.insert({job, "is deployed by its row, but the runtime has lost it or it is damaged", false});
      } else if (found->second != hash) {
        result.insert({job, "runs in another version than its row says", false});
      }
      present.erase(job);
    }
    for (const auto& [job, hash] : present) {
      if (!m_store.actual(job)) {
        result.insert({job, "runs, but no row says so", true});
      }
    }
    return result;
  }

  void runtime() {
    std::set<Mismatch> found = mismatches();
    if (!found.empty() && server_is_running(m_context.options.home)) {
      // A roll-out that is under way looks like this for a moment.
      std::this_thread::sleep_for(k_second_look);
      const std::set<Mismatch> again = mismatches();
      std::erase_if(found, [&](const Mismatch& mismatch) { return !again.contains(mismatch); });
    }
    for (const Mismatch& mismatch : found) {
      std::string problem = mismatch.problem;
      const bool done = repaired(problem, [&] { return mend_runtime(mismatch, problem); });
      note(mismatch.job, std::move(problem), done);
    }
  }

  bool mend_runtime(const Mismatch& mismatch, std::string& problem) {
    const std::string& job = mismatch.job;
    if (mismatch.stranger && !m_store.desired(job)) {
      (void)m_synchronizer.try_step({job, false, true});
      return !m_context.target.list().contains(job);
    }
    m_synchronizer.roll_out(job, true, {});
    const auto desired = m_store.desired(job);
    if (desired && desired->deployment.status != DeploymentStatus::success) {
      problem += "; the repair failed: " + desired->deployment.status_message;
      return false;
    }
    return true;
  }

  Context m_context;
  Store& m_store;
  GitCheck m_git;
  Synchronizer m_synchronizer;
  bool m_repair;
  std::vector<Finding> m_findings;
};

}  // namespace

std::vector<Finding> fsck(const EmbeddedOptions& options, target::Target& target, const Clock& clock, bool repair) {
  Store store(options.database, options.home);
  Sources sources(options.home, options.sources, options.caller.user);
  return Check({options, target, clock, store, sources}, repair).run();
}

}  // namespace vdk::control

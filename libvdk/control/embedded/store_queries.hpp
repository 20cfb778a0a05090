// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/embedded/store.hpp"

namespace vdk::control {

/// What a condition or an order looks at; the database knows all of these.
enum class JobColumn { name, team, description, python_version, state, any_contact };

/// Texts are compared without regard to the case of letters. `state` is one of enabled, disabled, not_deployed.
struct JobCondition {
  enum class Match { equals, contains, wildcard };
  JobColumn column = JobColumn::name;
  Match match = Match::equals;
  std::string pattern;  ///< wildcard: `%` is any text; a `%` that is itself is written `!%`, likewise `!_` and `!!`
};

struct JobSelection {
  std::vector<JobCondition> all;                  ///< every one of these
  std::vector<JobCondition> any;                  ///< and at least one of these, unless there is none
  std::optional<std::vector<std::string>> teams;  ///< and one of exactly these teams
  JobColumn order = JobColumn::name;
  bool descending = false;
  bool deployments = false;  ///< false: every job looks undeployed
  long long offset = 0;
  int limit = 0;  ///< 0 = all
};

/// The reading side of the jobs and executions queries: one statement each, whatever the number of jobs.
class StoreQueries {
 public:
  explicit StoreQueries(Store& store);

  [[nodiscard]] std::vector<JobOverview> jobs(const JobSelection& selection);
  [[nodiscard]] long long count_jobs(const JobSelection& selection);
  /// The newest finished execution of these jobs, or of all when there are none or very many. Without it the counts
  /// are 0.
  [[nodiscard]] std::map<std::string, ExecutionStatistics> last_executions(const std::vector<std::string>& jobs);
  /// Adds the numbers of successful and failed executions.
  void count_executions(const std::vector<std::string>& jobs, std::map<std::string, ExecutionStatistics>& statistics);

  [[nodiscard]] ExecutionPage executions(const ExecutionQuery& query);
  [[nodiscard]] long long count_executions(const ExecutionQuery& query);
  [[nodiscard]] static bool orders_executions_by(const std::string& property);

 private:
  [[nodiscard]] std::string ordered(const std::string& expression, bool descending) const;

  StoreSession& m_session;
  bool m_sqlite;
};

/// What can be given to ExecutionQuery::order_by.
[[nodiscard]] const std::vector<std::string>& execution_order_properties();

}  // namespace vdk::control

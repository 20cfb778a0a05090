// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/queries.hpp"

#include "control/fixture.hpp"
#include "control/query_rows.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using testing::at_second;
using testing::error_of;
using Names = std::vector<std::string>;
constexpr auto k_ascending = SortDirection::ascending;
constexpr auto k_descending = SortDirection::descending;

struct Rows {
  files::TemporaryDirectory scratch;
  testing::TestDatabase database{scratch.path()};
  Store store{database.options(), scratch.path()};
  Sources sources{scratch.path(), SourceOptions{.url = "https://git.example.com/team/jobs.git"}, "alice"};
  testing::HeldClock clock;

  Rows() { testing::add_query_rows(store); }

  JobPage find(const JobQuery& query) { return find_jobs(store, sources, query, clock); }

  /// Names of the jobs that `filter` leaves, in order.
  Names names(std::vector<JobPredicate> filter, bool deployments = true) {
    JobQuery query;
    query.filter = std::move(filter);
    query.deployments = deployments;
    return names_of(find(query));
  }

  Names search(const std::string& word, Names fields) {
    JobQuery query;
    query.search = word;
    query.search_fields = std::move(fields);
    query.deployments = true;
    return names_of(find(query));
  }

  static Names names_of(const JobPage& page) {
    Names result;
    for (const JobOverview& job : page.content) {
      result.push_back(job.job.job_name.substr(0, job.job.job_name.find('-')));
    }
    return result;
  }

  Names ids(const ExecutionQuery& query) {
    Names result;
    for (const Execution& execution : find_executions(store, query).content) {
      result.push_back(execution.id);
    }
    return result;
  }
};

JobPredicate with(const std::string& property, const std::string& pattern) { return {property, pattern, std::nullopt}; }
JobPredicate by(const std::string& property, SortDirection direction) { return {property, std::nullopt, direction}; }

TEST_CASE("jobs come by name with what runs, else what is wanted") {
  Rows rows;
  JobQuery query;
  query.deployments = true;
  const JobPage page = rows.find(query);
  CHECK(Rows::names_of(page) == Names{"alpha", "beta", "gamma", "omega"});
  CHECK(page.total_items == 4);
  const auto& alpha = page.content[0];
  CHECK(alpha.job.contacts.notified_on_job_success == Names{"ok@example.com", "boss@example.com"});
  REQUIRE(alpha.deployment);
  CHECK(alpha.deployment->python_version == "3.11");
  CHECK(alpha.deployment->resources.cpu_limit == 1.5);
  CHECK(alpha.deployment->last_deployed_date == at_second(0));
  CHECK(alpha.deployment->status == DeploymentStatus::success);
  CHECK_FALSE(page.content[2].deployment);
  REQUIRE(page.content[3].deployment);
  CHECK(page.content[3].deployment->status == DeploymentStatus::user_error);
  CHECK(page.content[3].deployment->status_message == "no such package");
}

TEST_CASE("without deployments every job looks undeployed") {
  Rows rows;
  CHECK_FALSE(rows.find({}).content[0].deployment);
  CHECK(rows.names({with("deployments.enabled", "enabled")}, false).empty());
  CHECK(rows.names({with("deployments.enabled", "not_deployed")}, false).size() == 4);
}

TEST_CASE("a deployment that nobody wants any more is not there") {
  Rows rows;
  rows.store.delete_desired("alpha-job");
  CHECK(rows.names({with("deployments.enabled", "not_deployed")}) == Names{"alpha", "gamma"});
}

TEST_CASE("each property filters in its own way") {
  Rows rows;
  const auto only = [&](const std::string& property, const std::string& pattern) {
    CAPTURE(property);
    CAPTURE(pattern);
    return rows.names({with(property, pattern)});
  };
  CHECK(only("jobName", "ALPHA-job") == Names{"alpha"});
  CHECK(only("JOBNAME", "alpha-job") == Names{"alpha"});
  CHECK(only("jobName", "alpha").empty());
  CHECK(only("jobName", "*-job") == Names{"alpha", "beta", "omega"});
  CHECK(only("jobName", "?eta*") == Names{"beta"});
  CHECK(only("jobName", "?eta-job").empty());
  CHECK(only("jobName", "%").empty());
  CHECK(only("config.team", "RED") == Names{"beta"});
  CHECK(only("config.team", "red%") == Names{"alpha", "beta"});
  CHECK(only("config.team", "%team") == Names{"alpha"});
  CHECK(only("config.team", "re.*") == Names{"alpha", "beta"});
  CHECK(only("config.team", "r_d").empty());
  CHECK(only("config.description", "FLIGHTS") == Names{"alpha", "beta"});
  CHECK(only("config.description", "100%") == Names{"alpha"});
  CHECK(only("config.description", "1%0").empty());
  CHECK(only("deployments.enabled", "enabled") == Names{"alpha", "omega"});
  CHECK(only("deployments.enabled", "Disabled") == Names{"beta"});
  CHECK(only("deployments.enabled", "not_deployed") == Names{"gamma"});
  CHECK(only("deployments.enabled", "whatever").empty());
  CHECK(only("deployments.jobPythonVersion", "3.1") == Names{"alpha", "beta"});
  CHECK(only("deployments.lastExecutionStatus", "user_error") == Names{"alpha"});
  CHECK(only("deployments.lastExecutionStatus", "succeeded") == Names{"beta"});
  CHECK(only("deployments.lastExecutionTime", "1700000250-1700000250") == Names{"alpha"});
  CHECK(only("deployments.lastExecutionTime", "1700000000-1700000200") == Names{"beta"});
  CHECK(only("deployments.lastExecutionDuration", "5").empty());
  // 2023-11-15T05:00:00Z and 2023-11-14T22:20:00Z; the 30th of February and an invalid schedule never come.
  CHECK(only("config.schedule.nextRunEpochSeconds", "1700024400-1700024400") == Names{"alpha"});
  CHECK(only("config.schedule.nextRunEpochSeconds", "0-1700000400") == Names{"omega"});
  CHECK(only("config.schedule.nextRunEpochSeconds", "0-2000000000") == Names{"alpha", "omega"});
  for (const char* ignored : {"config.schedule.scheduleCron", "config.sourceUrl", "config.contacts.present"}) {
    CHECK(only(ignored, "nothing like this").size() == 4);
  }
}

TEST_CASE("each property sorts in its own way, by name where it does not decide") {
  Rows rows;
  const auto order = [&](const std::string& property, SortDirection direction) {
    CAPTURE(property);
    return rows.names({by(property, direction)});
  };
  CHECK(order("jobName", k_descending) == Names{"omega", "gamma", "beta", "alpha"});
  CHECK(order("config.team", k_ascending) == Names{"gamma", "omega", "alpha", "beta"});
  CHECK(order("config.team", k_descending) == Names{"beta", "alpha", "gamma", "omega"});
  CHECK(order("config.description", k_ascending) == Names{"alpha", "omega", "beta", "gamma"});
  CHECK(order("config.description", k_descending) == Names{"gamma", "beta", "omega", "alpha"});
  CHECK(order("deployments.enabled", k_ascending) == Names{"alpha", "omega", "beta", "gamma"});
  CHECK(order("deployments.enabled", k_descending) == Names{"gamma", "beta", "alpha", "omega"});
  CHECK(order("deployments.jobPythonVersion", k_ascending) == Names{"beta", "alpha", "gamma", "omega"});
  CHECK(order("deployments.lastExecutionStatus", k_ascending) == Names{"gamma", "omega", "beta", "alpha"});
  CHECK(order("deployments.lastExecutionTime", k_descending) == Names{"alpha", "beta", "gamma", "omega"});
  CHECK(order("deployments.lastExecutionDuration", k_ascending) == Names{"gamma", "omega", "beta", "alpha"});
  CHECK(order("config.schedule.nextRunEpochSeconds", k_ascending) == Names{"beta", "gamma", "omega", "alpha"});
  CHECK(order("config.contacts.present", k_descending) == Names{"alpha", "beta", "gamma", "omega"});
  CHECK(order("config.schedule.scheduleCron", k_descending) == Names{"alpha", "beta", "gamma", "omega"});
}

TEST_CASE("filters add up and the last sort decides") {
  Rows rows;
  CHECK(rows.names({with("config.team", "red%"), with("deployments.enabled", "disabled")}) == Names{"beta"});
  CHECK(rows.names({{"config.team", "%", k_ascending}, by("jobName", k_descending)}) ==
        Names{"omega", "gamma", "beta", "alpha"});
  CHECK(rows.names({by("deployments.lastExecutionTime", k_ascending), by("jobName", k_ascending)}) ==
        Names{"alpha", "beta", "gamma", "omega"});
  CHECK(rows.names({with("config.schedule.nextRunEpochSeconds", "0-2000000000"), by("jobName", k_descending)}) ==
        Names{"omega", "alpha"});
}

TEST_CASE("a search looks into the selected fields") {
  Rows rows;
  CHECK(rows.search("flights", {"jobName", "config.description"}) == Names{"alpha", "beta"});
  CHECK(rows.search("RED", {"jobName", "config.team"}) == Names{"alpha", "beta"});
  CHECK(rows.search("red", {"jobName"}).empty());
  CHECK(rows.search("%", {"jobName", "config.team"}).empty());
  CHECK(rows.search("  ", {"jobName"}).size() == 4);
  CHECK(rows.search("red", {"config", "deployments"}).size() == 4);
  CHECK(rows.search("disabled", {"jobName", "deployments.enabled"}) == Names{"beta"});
  CHECK(rows.search("able", {"deployments.enabled"}).empty());
  CHECK(rows.search("17000", {"config.schedule.nextRunEpochSeconds"}) == Names{"alpha", "omega"});
  CHECK(rows.search("/main/beta-job", {"config.sourceUrl"}) == Names{"beta"});
  CHECK(rows.search("user_error", {"deployments.lastExecutionStatus"}) == Names{"alpha"});
}

TEST_CASE("pages are cut after filter and order, and the total counts all") {
  Rows rows;
  JobQuery query;
  query.deployments = true;
  query.size = 3;
  for (const char* property : {"jobName", "config.schedule.nextRunEpochSeconds"}) {
    CAPTURE(property);
    query.filter = {by(property, k_ascending)};
    query.page = 1;
    CHECK(rows.find(query).content.size() == 3);
    CHECK(rows.find(query).total_items == 4);
    query.page = 2;
    CHECK(rows.find(query).content.size() == 1);
    CHECK(rows.find(query).total_items == 4);
    query.page = 3;
    CHECK(rows.find(query).content.empty());
    CHECK(rows.find(query).total_items == 4);
  }
  query.page = 1;
  query.size = 0;
  CHECK(rows.find(query).content.size() == 4);
}

TEST_CASE("statistics tell of the newest finished execution") {
  Rows rows;
  JobQuery query;
  query.deployments = true;
  query.statistics = true;
  for (const bool computed : {false, true}) {
    query.filter.clear();
    if (computed) {
      query.filter = {by("deployments.lastExecutionStatus", k_descending)};
    }
    const JobPage page = rows.find(query);
    const ExecutionStatistics& alpha = page.content[0].statistics;
    CHECK(page.content[0].job.job_name == "alpha-job");
    CHECK(alpha.last_status == ExecutionStatus::user_error);
    CHECK(alpha.last_time == at_second(250));
    CHECK(alpha.last_duration == 50);
    CHECK(alpha.successful == 2);
    CHECK(alpha.failed == 1);
    CHECK(page.content[1].statistics.last_duration == 5);
    CHECK_FALSE(page.content[2].statistics.last_status);
  }
}

TEST_CASE("what cannot be asked for is said") {
  Rows rows;
  const auto why = [&](const JobQuery& query) { return error_of([&] { (void)rows.find(query); }).text().why; };
  JobQuery query;
  query.page = 0;
  CHECK(why(query) == "Page cannot be less than 1");
  query.page = 1;
  query.size = -1;
  CHECK(why(query) == "Page size cannot be less than 1");
  query.size = 10;
  for (const JobPredicate& wrong :
       {with("config.nothing", "x"), with("deployments", "x"), JobPredicate{"jobName", std::nullopt, std::nullopt}}) {
    query.filter = {wrong};
    CHECK(why(query) == "Provided filter for " + wrong.property + " is either not valid or currently not supported");
  }
  for (const char* range : {"1", "a-b", "5-", "-5", "2-1"}) {
    query.filter = {with("deployments.lastExecutionTime", range)};
    CHECK(why(query).find("deployments.lastExecutionTime") != std::string::npos);
  }
  query.filter = {with("deployments.lastExecutionStatus", "finished")};
  CHECK(why(query) == "The Execution Status 'finished' is not valid");
  query.filter = {with("jobName", std::string(2000, 'x'))};
  CHECK(error_of([&] { (void)rows.find(query); }).kind() == ErrorKind::usage);
}

TEST_CASE("executions are filtered") {
  Rows rows;
  ExecutionQuery query;
  CHECK(rows.ids(query) == Names{"omega-1", "alpha-4", "alpha-3", "beta-1", "alpha-2", "alpha-1"});
  query.statuses = {ExecutionStatus::running, ExecutionStatus::user_error};
  CHECK(rows.ids(query) == Names{"alpha-4", "alpha-3"});
  query = {};
  query.jobs = {"beta-job", "omega-job", "nobody"};
  CHECK(rows.ids(query) == Names{"omega-1", "beta-1"});
  query = {};
  query.teams = {"Red Team"};
  query.start_from = at_second(101);
  query.start_to = at_second(200);
  CHECK(rows.ids(query) == Names{"alpha-3", "alpha-2"});
  query = {};
  query.end_from = at_second(155);
  query.end_to = at_second(155);
  CHECK(rows.ids(query) == Names{"beta-1"});
  query.teams = {"it's", "\"; DROP TABLE data_job; --"};
  CHECK(rows.ids(query).empty());
}

TEST_CASE("executions are ordered by any property that the API names") {
  Rows rows;
  ExecutionQuery query;
  query.order_by = "endTime";
  CHECK(rows.ids(query) == Names{"alpha-1", "alpha-2", "beta-1", "alpha-3", "alpha-4", "omega-1"});
  query.direction = k_descending;
  CHECK(rows.ids(query) == Names{"omega-1", "alpha-4", "alpha-3", "beta-1", "alpha-2", "alpha-1"});
  query.order_by = "jobTeam";
  CHECK(rows.ids(query).front() == "beta-1");
  query.direction = k_ascending;
  CHECK(rows.ids(query).front() == "omega-1");
  for (const char* property : {"message", "type", "jobSchedule", "startTime", "jobVersion", "id", "opId",
                               "lastDeployedDate", "lastDeployedBy", "startedBy", "status", "vdkVersion", "jobName"}) {
    CAPTURE(property);
    query.order_by = property;
    CHECK(rows.ids(query).size() == 6);
  }
  query.order_by = "submitted_time; --";
  CHECK(error_of([&] { (void)rows.ids(query); }).kind() == ErrorKind::usage);
}

TEST_CASE("executions are cut into pages over all jobs, or within each") {
  Rows rows;
  ExecutionQuery query;
  query.size = 2;
  query.page = 2;
  const ExecutionPage page = find_executions(rows.store, query);
  CHECK(rows.ids(query) == Names{"alpha-3", "beta-1"});
  CHECK(page.total_items == 6);
  CHECK(page.teams == Names{"Red Team", "red"});
  query.page = 1;
  query.per_job = true;
  query.jobs = {"alpha-job", "beta-job"};
  CHECK(rows.ids(query) == Names{"alpha-4", "alpha-3", "beta-1"});
  query.page = 0;
  CHECK(error_of([&] { (void)rows.ids(query); }).text().why == "Page cannot be less than 1");
}

TEST_CASE("a page takes the same number of statements whatever the number of jobs") {
  Rows rows;
  const auto statements = [&](const JobQuery& query) {
    const long long before = rows.store.statements();
    (void)rows.find(query);
    return rows.store.statements() - before;
  };
  JobQuery query;
  query.deployments = true;
  query.statistics = true;
  query.size = 2;
  const long long few = statements(query);
  CHECK(few == 4);  // page, total, newest executions, counts
  for (int i = 0; i < 60; ++i) {
    const std::string name = "more-job-" + std::to_string(i);
    DataJob job;
    job.job_name = name;
    job.team = "Green";
    rows.store.insert_job(job);
    testing::add_deployment(rows.store, name, "v", true, "3.11");
    testing::add_execution(rows.store, name, name + "-1", ExecutionStatus::succeeded, i, 1);
  }
  query.size = 50;
  CHECK(statements(query) == few);
  query.filter = {by("deployments.lastExecutionTime", k_descending)};
  CHECK(statements(query) <= few);
  query.statistics = false;
  query.filter = {{"config.team", "green", k_ascending}, by("jobName", k_ascending)};
  CHECK(statements(query) == 2);
  query.size = 100;
  CHECK(statements(query) == 1);  // the only page needs no count
}

}  // namespace
}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store_queries.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "control/embedded/status_numbers.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

// More names than this are not sent: the statement then looks at all jobs.
constexpr std::size_t k_most_names = 1000;

/// A part of a statement with the values of its placeholders, in their order.
struct Sql {
  std::string text;
  std::vector<std::variant<std::string, long long>> values;

  std::string place(std::variant<std::string, long long> value) {
    values.push_back(std::move(value));
    return ":v" + std::to_string(values.size());
  }
  void bind(Query& query) const {
    for (const auto& value : values) {
      if (const auto* number = std::get_if<long long>(&value)) {
        query.in(*number);
      } else {
        query.in(std::get<std::string>(value));
      }
    }
  }
};

template <typename Value>
std::string list_of(Sql& sql, const std::vector<Value>& values) {
  std::vector<std::string> places;
  places.reserve(values.size());
  for (const Value& value : values) {
    places.push_back(sql.place(value));
  }
  return "(" + text::join(places, ", ") + ")";
}

/// What runs, else what is wanted; a job that is not wanted any more counts as undeployed. Whether it is enabled is
/// always what is wanted: the scheduler obeys that at once.
std::string deployed(const std::string& column) {
  if (column == "enabled") {
    return "d.enabled";
  }
  return "CASE WHEN a.data_job_name IS NULL THEN d." + column + " ELSE a." + column + " END";
}

constexpr std::string_view k_deployments =
    " LEFT JOIN desired_data_job_deployment d ON d.data_job_name = j.name"
    " LEFT JOIN actual_data_job_deployment a ON a.data_job_name = d.data_job_name";

std::string expression(JobColumn column, bool deployments) {
  switch (column) {
    case JobColumn::name:
      return "j.name";
    case JobColumn::team:
      return "j.team";
    case JobColumn::description:
      return "j.description";
    case JobColumn::python_version:
      return deployments ? "COALESCE(" + deployed("python_version") + ", '')" : "''";
    case JobColumn::state:
      return deployments ? "CASE WHEN d.data_job_name IS NULL THEN 'not_deployed' WHEN " + deployed("enabled") +
                               " = 1 THEN 'enabled' ELSE 'disabled' END"
                         : "'not_deployed'";
    case JobColumn::any_contact:
      return "CASE WHEN j.contacts IN ('', '\n\n\n') THEN 0 ELSE 1 END";
  }
  return "j.name";
}

std::string escaped(const std::string& pattern) {
  return text::replace_all(text::replace_all(text::replace_all(pattern, "!", "!!"), "%", "!%"), "_", "!_");
}

std::string condition(Sql& sql, const JobCondition& condition, bool deployments) {
  const std::string column = "LOWER(" + expression(condition.column, deployments) + ")";
  if (condition.match == JobCondition::Match::equals) {
    return column + " = LOWER(" + sql.place(condition.pattern) + ")";
  }
  const std::string pattern =
      condition.match == JobCondition::Match::contains ? "%" + escaped(condition.pattern) + "%" : condition.pattern;
  return column + " LIKE LOWER(" + sql.place(pattern) + ") ESCAPE '!'";
}

bool looks_at_deployments(JobColumn column) {
  return column == JobColumn::state || column == JobColumn::python_version;
}

/// FROM and WHERE of a selection.
Sql restriction(const JobSelection& selection) {
  Sql sql;
  std::vector<std::string> conditions;
  bool joined = looks_at_deployments(selection.order);
  for (const JobCondition& each : selection.all) {
    conditions.push_back(condition(sql, each, selection.deployments));
    joined = joined || looks_at_deployments(each.column);
  }
  std::vector<std::string> choices;
  for (const JobCondition& each : selection.any) {
    choices.push_back(condition(sql, each, selection.deployments));
    joined = joined || looks_at_deployments(each.column);
  }
  if (!choices.empty()) {
    conditions.push_back("(" + text::join(choices, " OR ") + ")");
  }
  if (selection.teams) {
    conditions.push_back(selection.teams->empty() ? "1 = 0" : "j.team IN " + list_of(sql, *selection.teams));
  }
  sql.text = " FROM data_job j";
  if (joined && selection.deployments) {
    sql.text += k_deployments;
  }
  if (!conditions.empty()) {
    sql.text += " WHERE " + text::join(conditions, " AND ");
  }
  return sql;
}

std::string job_columns() {
  std::string result =
      "j.name, j.team, j.description, j.schedule, j.db_default_type, j.contacts, j.generate_keytab, "
      "j.enable_execution_notifications, j.notification_delay_period_minutes, d.data_job_name";
  for (const char* column :
       {"git_commit_sha", "python_version", "vdk_version", "schedule", "resources_cpu_request_cores",
        "resources_cpu_limit_cores", "resources_memory_request_mi", "resources_memory_limit_mi", "last_deployed_by",
        "last_deployed_date", "enabled", "contacts", "deployment_version_sha"}) {
    result += ", " + deployed(column);
  }
  return result + ", d.status, d.status_message, a.interpreter, a.environment";
}

JobOverview read_overview(Query& query, bool deployments) {
  JobOverview overview;
  overview.job = read_job(query);
  const std::string name = query.text();
  Deployment deployment = read_deployment(query);
  deployment.job_name = name;
  deployment.status = deployment_status(query.integer());
  deployment.status_message = query.text();
  deployment.interpreter = query.text();
  deployment.environment = query.text();
  if (deployments && !name.empty()) {
    overview.deployment = std::move(deployment);
  }
  return overview;
}

struct ExecutionOrder {
  std::string_view property;
  std::string_view expression;
  bool is_text;
};

// Executions that have not started yet are the newest.
constexpr ExecutionOrder k_execution_orders[] = {{"message", "message", true},
                                                 {"type", "type", false},
                                                 {"jobSchedule", "job_schedule", true},
                                                 {"startTime", "COALESCE(start_time, submitted_time)", false},
                                                 {"endTime", "end_time", false},
                                                 {"jobVersion", "job_version", true},
                                                 {"id", "id", true},
                                                 {"opId", "op_id", true},
                                                 {"lastDeployedDate", "last_deployed_date", false},
                                                 {"lastDeployedBy", "last_deployed_by", true},
                                                 {"startedBy", "started_by", true},
                                                 {"status", "status", false},
                                                 {"vdkVersion", "vdk_version", true},
                                                 {"jobName", "job_name", true},
                                                 {"jobTeam", "job_team", true}};

/// FROM and WHERE of an executions query.
Sql restriction(const ExecutionQuery& query) {
  Sql sql;
  std::vector<std::string> conditions;
  const auto bound = [&](const char* comparison, const std::optional<TimePoint>& time) {
    if (time) {
      conditions.push_back(comparison + sql.place(to_unix_micros(*time)));
    }
  };
  bound("e.start_time >= ", query.start_from);
  bound("e.start_time <= ", query.start_to);
  bound("e.end_time >= ", query.end_from);
  bound("e.end_time <= ", query.end_to);
  if (!query.statuses.empty()) {
    std::vector<long long> numbers;
    std::transform(query.statuses.begin(), query.statuses.end(), std::back_inserter(numbers),
                   [](ExecutionStatus status) { return number_of(status); });
    conditions.push_back("e.status IN " + list_of(sql, numbers));
  }
  if (!query.jobs.empty()) {
    conditions.push_back("e.job_name IN " + list_of(sql, query.jobs));
  }
  if (!query.teams.empty()) {
    conditions.push_back("j.team IN " + list_of(sql, query.teams));
  }
  sql.text = " FROM data_job_execution e JOIN data_job j ON j.name = e.job_name";
  if (!conditions.empty()) {
    sql.text += " WHERE " + text::join(conditions, " AND ");
  }
  return sql;
}

}  // namespace

StoreQueries::StoreQueries(Store& store)
    : m_session(*store.m_session), m_sqlite(m_session.sql.get_backend_name() == "sqlite3") {}

/// Both databases order texts by their bytes.
std::string StoreQueries::ordered(const std::string& expression, bool descending) const {
  return expression + (m_sqlite ? "" : " COLLATE \"C\"") + (descending ? " DESC" : "");
}

std::vector<JobOverview> StoreQueries::jobs(const JobSelection& selection) {
  Sql sql = restriction(selection);
  const std::string by = expression(selection.order, selection.deployments);
  std::string order;
  if (selection.order == JobColumn::state) {
    order = "CASE " + by + " WHEN 'enabled' THEN 0 WHEN 'disabled' THEN 1 ELSE 2 END";
    order += selection.descending ? " DESC, " : ", ";
  } else if (selection.order == JobColumn::any_contact) {
    order = by + (selection.descending ? " DESC, " : ", ");
  } else if (selection.order != JobColumn::name) {
    order = "CASE " + by + " WHEN '' THEN 1 ELSE 0 END" + (selection.descending ? " DESC, " : ", ") +
            ordered("(" + by + ")", selection.descending) + ", ";
  }
  order += ordered("j.name", selection.order == JobColumn::name && selection.descending);
  // The page is cut before the deployments are looked up.
  std::string inner = "SELECT j.name AS page_name" + sql.text;
  if (selection.limit > 0) {
    inner += " ORDER BY " + order + " LIMIT " + sql.place(static_cast<long long>(selection.limit));
    inner += " OFFSET " + sql.place(selection.offset);
  }
  Query query(m_session, "SELECT " + job_columns() + " FROM (" + inner +
                             ") page JOIN data_job j ON j.name = page_name" + std::string(k_deployments) +
                             " ORDER BY " + order);
  query.columns("ssssssiii").columns("s").columns(k_deployment_types).columns("isss");
  sql.bind(query);
  std::vector<JobOverview> result;
  while (query.next()) {
    result.push_back(read_overview(query, selection.deployments));
  }
  return result;
}

long long StoreQueries::count_jobs(const JobSelection& selection) {
  const Sql sql = restriction(selection);
  Query query(m_session, "SELECT COUNT(*)" + sql.text);
  query.columns("i");
  sql.bind(query);
  return query.next() ? query.integer() : 0;
}

std::map<std::string, ExecutionStatistics> StoreQueries::last_executions(const std::vector<std::string>& jobs) {
  Sql sql;
  const std::string restriction =
      jobs.empty() || jobs.size() > k_most_names ? "" : " WHERE j.name IN " + list_of(sql, jobs);
  Query query(m_session,
              "SELECT e.job_name, e.status, e.start_time, e.end_time FROM data_job_execution e WHERE e.id IN ("
              "SELECT (SELECT x.id FROM data_job_execution x WHERE x.job_name = j.name AND x.status NOT IN (0, 1) "
              "ORDER BY x.submitted_time DESC, x.id DESC LIMIT 1) FROM data_job j" +
                  restriction + ")");
  query.columns("sitt");
  sql.bind(query);
  std::map<std::string, ExecutionStatistics> result;
  while (query.next()) {
    ExecutionStatistics& statistics = result[query.text()];
    statistics.last_status = execution_status(query.integer());
    const auto start = query.time_if();
    statistics.last_time = query.time_if();
    if (start && statistics.last_time) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(*statistics.last_time - *start).count();
      statistics.last_duration = static_cast<int>(std::max<long long>(0, seconds));
    }
  }
  return result;
}

void StoreQueries::count_executions(const std::vector<std::string>& jobs,
                                    std::map<std::string, ExecutionStatistics>& statistics) {
  Sql sql;
  const std::string restriction =
      jobs.empty() || jobs.size() > k_most_names ? "" : " WHERE job_name IN " + list_of(sql, jobs);
  Query query(m_session,
              "SELECT job_name, SUM(CASE WHEN status = 2 THEN 1 ELSE 0 END), "
              "SUM(CASE WHEN status IN (3, 6, 7) THEN 1 ELSE 0 END) FROM data_job_execution" +
                  restriction + " GROUP BY job_name");
  query.columns("sii");
  sql.bind(query);
  while (query.next()) {
    ExecutionStatistics& counted = statistics[query.text()];
    counted.successful = static_cast<int>(query.integer());
    counted.failed = static_cast<int>(query.integer());
  }
}

const std::vector<std::string>& execution_order_properties() {
  static const std::vector<std::string> properties = [] {
    std::vector<std::string> names;
    for (const ExecutionOrder& order : k_execution_orders) {
      names.emplace_back(order.property);
    }
    return names;
  }();
  return properties;
}

bool StoreQueries::orders_executions_by(const std::string& property) {
  const auto& known = execution_order_properties();
  return std::find(known.begin(), known.end(), property) != known.end();
}

ExecutionPage StoreQueries::executions(const ExecutionQuery& query) {
  Sql sql = restriction(query);
  const std::string property = query.order_by.empty() ? "startTime" : query.order_by;
  const bool descending = query.order_by.empty() || query.direction == SortDirection::descending;
  const auto* by = std::find_if(std::begin(k_execution_orders), std::end(k_execution_orders),
                                [&](const ExecutionOrder& order) { return order.property == property; });
  const std::string expression(by == std::end(k_execution_orders) ? "id" : by->expression);
  const std::string direction = descending ? " DESC" : "";
  // Rows without a value come last in ascending order, in both databases.
  const std::string order =
      "CASE WHEN " + expression + " IS NULL THEN 1 ELSE 0 END" + direction + ", " +
      (by != std::end(k_execution_orders) && by->is_text ? ordered(expression, descending) : expression + direction) +
      ", " + ordered("id", descending);
  std::string rows = "SELECT e.*, j.team AS job_team" + sql.text;
  const auto first = static_cast<long long>(query.page - 1) * query.size;
  std::string text = "SELECT " + std::string(k_execution_columns) + ", job_team FROM (";
  if (query.per_job && query.size > 0) {
    text += "SELECT found.*, ROW_NUMBER() OVER (PARTITION BY job_name ORDER BY " + order + ") AS place FROM (" + rows +
            ") AS found) AS placed WHERE place > ";
    text += sql.place(first) + " AND place <= ";
    text += sql.place(first + query.size) + " ORDER BY " + order;
  } else {
    text += rows + ") AS found ORDER BY " + order;
    if (query.size > 0) {
      text += " LIMIT " + sql.place(static_cast<long long>(query.size));
      text += " OFFSET " + sql.place(first);
    }
  }
  Query statement(m_session, text);
  statement.columns(k_execution_types).columns("s");
  sql.bind(statement);
  ExecutionPage page;
  while (statement.next()) {
    page.content.push_back(read_execution(statement).execution);
    page.teams.push_back(statement.text());
  }
  return page;
}

long long StoreQueries::count_executions(const ExecutionQuery& query) {
  const Sql sql = restriction(query);
  Query statement(m_session, "SELECT COUNT(*)" + sql.text);
  statement.columns("i");
  sql.bind(statement);
  return statement.next() ? statement.integer() : 0;
}

}  // namespace vdk::control

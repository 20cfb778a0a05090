// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "control/embedded/status_numbers.hpp"
#include "control/embedded/store.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr std::string_view k_job_columns =
    "j.name, j.team, j.description, j.schedule, j.db_default_type, j.contacts, j.generate_keytab, "
    "j.enable_execution_notifications, j.notification_delay_period_minutes";
constexpr std::string_view k_job_types = "ssssssiii";

constexpr std::string_view k_columns =
    "git_commit_sha, python_version, vdk_version, schedule, resources_cpu_request_cores, resources_cpu_limit_cores, "
    "resources_memory_request_mi, resources_memory_limit_mi, last_deployed_by, last_deployed_date, enabled, contacts, "
    "deployment_version_sha";

std::vector<std::string> split_list(const std::string& text, char separator) {
  return text.empty() ? std::vector<std::string>() : text::split(text, separator);
}

Desired read_desired(Query& query) {
  Desired desired;
  const std::string name = query.text();
  desired.deployment = read_deployment(query);
  desired.deployment.job_name = name;
  desired.deployment.status = deployment_status(query.integer());
  desired.deployment.status_message = query.text();
  desired.user_initiated = query.flag();
  desired.attempts = static_cast<int>(query.integer());
  desired.retry_at = query.time_if();
  desired.send_notification = query.flag();
  return desired;
}

Deployment read_actual(Query& query) {
  const std::string name = query.text();
  Deployment actual = read_deployment(query);
  actual.job_name = name;
  actual.status = DeploymentStatus::success;
  actual.interpreter = query.text();
  actual.environment = query.text();
  actual.resolved_requirements = split_list(query.text(), '\n');
  return actual;
}

const std::string k_select_desired =
    "SELECT data_job_name, " + std::string(k_columns) +
    ", status, status_message, is_user_initiated, attempts, retry_at, send_notification FROM "
    "desired_data_job_deployment";
const std::string k_desired_types = "s" + std::string(k_deployment_types) + "isiiti";
const std::string k_select_actual = "SELECT data_job_name, " + std::string(k_columns) +
                                    ", interpreter, environment, resolved_requirements FROM actual_data_job_deployment";
const std::string k_actual_types = "s" + std::string(k_deployment_types) + "sss";

/// Replaces the row of a job in place: deleting it first would lock out everybody who refers to it.
std::string put_statement(const std::string& table, const std::string& own_columns) {
  const std::string columns = std::string(k_columns) + ", " + own_columns;
  std::vector<std::string> values{":p0"};
  std::vector<std::string> assignments;
  for (const std::string& column : text::split(columns, ',')) {
    const std::string name(text::trim(column));
    values.push_back(":p" + std::to_string(values.size()));
    assignments.push_back(name + " = excluded." + name);
  }
  return "INSERT INTO " + table + " (data_job_name, " + columns + ") VALUES (" + text::join(values, ", ") +
         ") ON CONFLICT (data_job_name) DO UPDATE SET " + text::join(assignments, ", ");
}
const std::string k_put_desired = put_statement(
    "desired_data_job_deployment", "status, status_message, is_user_initiated, attempts, retry_at, send_notification");
const std::string k_put_actual =
    put_statement("actual_data_job_deployment", "interpreter, environment, resolved_requirements");

std::vector<std::string> names(Query& query) {
  std::vector<std::string> result;
  while (query.next()) {
    result.push_back(query.text());
  }
  return result;
}

}  // namespace

std::string pack_contacts(const job::Contacts& contacts) {
  return text::join(contacts.notified_on_job_failure_user_error, ";") + "\n" +
         text::join(contacts.notified_on_job_failure_platform_error, ";") + "\n" +
         text::join(contacts.notified_on_job_success, ";") + "\n" + text::join(contacts.notified_on_job_deploy, ";");
}

job::Contacts unpack_contacts(const std::string& packed) {
  if (packed.empty() || packed == "\n\n\n") {
    return {};
  }
  std::vector<std::string> lists = text::split(packed, '\n');
  lists.resize(4);
  return {split_list(lists[0], ';'), split_list(lists[1], ';'), split_list(lists[2], ';'), split_list(lists[3], ';')};
}

Deployment read_deployment(Query& query) {
  Deployment deployment;
  deployment.job_version = query.text();
  deployment.python_version = query.text();
  deployment.vdk_version = query.text();
  deployment.schedule_cron = query.text();
  deployment.resources.cpu_request = query.real_if();
  deployment.resources.cpu_limit = query.real_if();
  deployment.resources.memory_request = query.integer_if();
  deployment.resources.memory_limit = query.integer_if();
  deployment.last_deployed_by = query.text();
  deployment.last_deployed_date = query.time_if();
  deployment.enabled = query.flag();
  deployment.contacts = unpack_contacts(query.text());
  deployment.version_hash = query.text();
  return deployment;
}

Query& bind_deployment(Query& query, const Deployment& deployment) {
  return query.in(deployment.job_version)
      .in(deployment.python_version)
      .in(deployment.vdk_version)
      .in(deployment.schedule_cron)
      .in(deployment.resources.cpu_request)
      .in(deployment.resources.cpu_limit)
      .in(deployment.resources.memory_request)
      .in(deployment.resources.memory_limit)
      .in(deployment.last_deployed_by)
      .in(deployment.last_deployed_date)
      .in(deployment.enabled)
      .in(pack_contacts(deployment.contacts))
      .in(deployment.version_hash);
}

DataJob read_job(Query& query) {
  DataJob job;
  job.job_name = query.text();
  job.team = query.text();
  job.description = query.text();
  job.schedule_cron = query.text();
  job.db_default_type = query.text();
  job.contacts = unpack_contacts(query.text());
  job.generate_keytab = query.flag();
  job.enable_execution_notifications = query.flag();
  job.notification_delay_period_minutes = static_cast<int>(query.integer());
  return job;
}

std::optional<DataJob> Store::find_job(const std::string& name) {
  Query query(*m_session, "SELECT " + std::string(k_job_columns) + " FROM data_job j WHERE j.name = :name");
  query.columns(k_job_types).in(name);
  return query.next() ? std::optional(read_job(query)) : std::nullopt;
}

namespace {

void bind_job(Query& query, const DataJob& job) {
  query.in(job.team)
      .in(job.description)
      .in(job.schedule_cron)
      .in(job.db_default_type)
      .in(pack_contacts(job.contacts))
      .in(job.generate_keytab)
      .in(job.enable_execution_notifications)
      .in(job.notification_delay_period_minutes)
      .in(job.job_name)
      .run();
}

}  // namespace

void Store::insert_job(const DataJob& job) {
  Query query(*m_session,
              "INSERT INTO data_job (team, description, schedule, db_default_type, contacts, generate_keytab, "
              "enable_execution_notifications, notification_delay_period_minutes, name) "
              "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9)");
  bind_job(query, job);
}

void Store::update_job(const DataJob& job) {
  Query query(
      *m_session,
      "UPDATE data_job SET team = :p1, description = :p2, schedule = :p3, db_default_type = :p4, contacts = :p5, "
      "generate_keytab = :p6, enable_execution_notifications = :p7, notification_delay_period_minutes = :p8 "
      "WHERE name = :p9");
  bind_job(query, job);
}

void Store::delete_job(const std::string& name) {
  changed(&StoreSession::desired_changed,
          [&] { Query(*m_session, "DELETE FROM data_job WHERE name = :name").in(name).run(); });
}

std::optional<Desired> Store::desired(const std::string& job) {
  Query query(*m_session, k_select_desired + " WHERE data_job_name = :job");
  query.columns(k_desired_types).in(job);
  return query.next() ? std::optional(read_desired(query)) : std::nullopt;
}

std::vector<Desired> Store::all_desired() {
  Query query(*m_session, k_select_desired);
  query.columns(k_desired_types);
  std::vector<Desired> result;
  while (query.next()) {
    result.push_back(read_desired(query));
  }
  return result;
}

std::optional<Deployment> Store::actual(const std::string& job) {
  Query query(*m_session, k_select_actual + " WHERE data_job_name = :job");
  query.columns(k_actual_types).in(job);
  return query.next() ? std::optional(read_actual(query)) : std::nullopt;
}

std::vector<Deployment> Store::scheduled() {
  Query query(*m_session, k_select_actual + " WHERE enabled = 1 AND schedule <> '' ORDER BY data_job_name");
  query.columns(k_actual_types);
  std::vector<Deployment> result;
  while (query.next()) {
    result.push_back(read_actual(query));
  }
  return result;
}

void Store::put_desired(const Desired& desired) {
  changed(&StoreSession::desired_changed, [&] {
    Query query(*m_session, k_put_desired);
    query.in(desired.deployment.job_name);
    bind_deployment(query, desired.deployment)
        .in(number_of(desired.deployment.status))
        .in(desired.deployment.status_message)
        .in(desired.user_initiated)
        .in(desired.attempts)
        .in(desired.retry_at)
        .in(desired.send_notification)
        .run();
  });
}

void Store::put_actual(const Deployment& deployment) {
  changed(&StoreSession::deployments_changed, [&] {
    Query query(*m_session, k_put_actual);
    query.in(deployment.job_name);
    bind_deployment(query, deployment)
        .in(deployment.interpreter)
        .in(deployment.environment)
        .in(text::join(deployment.resolved_requirements, "\n"))
        .run();
  });
}

void Store::delete_desired(const std::string& job) {
  changed(&StoreSession::desired_changed, [&] {
    Query(*m_session, "DELETE FROM desired_data_job_deployment WHERE data_job_name = :job").in(job).run();
  });
}

void Store::delete_actual(const std::string& job) {
  changed(&StoreSession::deployments_changed, [&] {
    Query(*m_session, "DELETE FROM actual_data_job_deployment WHERE data_job_name = :job").in(job).run();
  });
}

void Store::set_outcome(const std::string& job, const std::string& hash, DeploymentStatus status,
                        const std::string& message, int attempts, std::optional<TimePoint> retry_at) {
  Query(*m_session,
        "UPDATE desired_data_job_deployment SET status = :status, status_message = :message, attempts = :attempts, "
        "retry_at = :retry, is_user_initiated = 0 WHERE data_job_name = :job AND deployment_version_sha = :hash")
      .in(number_of(status))
      .in(message)
      .in(attempts)
      .in(retry_at)
      .in(job)
      .in(hash)
      .run();
}

std::vector<std::string> Store::out_of_step(TimePoint now) {
  Query query(
      *m_session,
      "SELECT d.data_job_name FROM desired_data_job_deployment d "
      "LEFT JOIN actual_data_job_deployment a ON a.data_job_name = d.data_job_name "
      "WHERE (a.data_job_name IS NULL OR a.deployment_version_sha <> d.deployment_version_sha OR d.status = -1) "
      "AND (d.retry_at IS NULL OR d.retry_at <= :now) ORDER BY d.data_job_name");
  query.columns("s").in(now);
  return names(query);
}

std::vector<std::string> Store::unwanted() {
  Query query(*m_session,
              "SELECT a.data_job_name FROM actual_data_job_deployment a "
              "LEFT JOIN desired_data_job_deployment d ON a.data_job_name = d.data_job_name "
              "WHERE d.data_job_name IS NULL");
  query.columns("s");
  return names(query);
}

std::vector<std::pair<std::string, std::string>> Store::actual_hashes() {
  Query query(*m_session, "SELECT data_job_name, deployment_version_sha FROM actual_data_job_deployment");
  query.columns("ss");
  std::vector<std::pair<std::string, std::string>> result;
  while (query.next()) {
    std::string name = query.text();
    result.emplace_back(std::move(name), query.text());
  }
  return result;
}

namespace {

/// What runs, else what is wanted; whether it is enabled is what is wanted: the scheduler obeys that at once.
std::string coalesced_columns() {
  std::vector<std::string> parts;
  for (const std::string& column : text::split(k_columns, ',')) {
    const std::string name(text::trim(column));
    if (name == "enabled") {
      parts.emplace_back("COALESCE(d.enabled, a.enabled)");
      continue;
    }
    parts.push_back(name.starts_with("resources_")
                        ? "CASE WHEN a.data_job_name IS NULL THEN d." + name + " ELSE a." + name + " END"
                        : "COALESCE(a." + name + ", d." + name + ")");
  }
  return text::join(parts, ", ");
}

}  // namespace

std::vector<JobOverview> Store::overview(const std::string& team, int with_executions) {
  const std::string filter = team.empty() ? "" : " WHERE j.team = :team";
  Query query(*m_session, "SELECT " + std::string(k_job_columns) +
                              ", CASE WHEN a.data_job_name IS NULL THEN d.data_job_name ELSE a.data_job_name END, " +
                              coalesced_columns() +
                              ", d.status, d.status_message, a.interpreter, a.environment, a.resolved_requirements "
                              "FROM data_job j LEFT JOIN desired_data_job_deployment d ON d.data_job_name = j.name "
                              "LEFT JOIN actual_data_job_deployment a ON a.data_job_name = j.name" +
                              filter + " ORDER BY j.name");
  query.columns(k_job_types).columns("s").columns(k_deployment_types).columns("issss");
  if (!team.empty()) {
    query.in(team);
  }
  std::vector<JobOverview> result;
  while (query.next()) {
    JobOverview& overview = result.emplace_back();
    overview.job = read_job(query);
    const std::string deployed = query.text();
    Deployment deployment = read_deployment(query);
    deployment.job_name = deployed;
    deployment.status = deployment_status(query.integer());
    deployment.status_message = query.text();
    deployment.interpreter = query.text();
    deployment.environment = query.text();
    deployment.resolved_requirements = split_list(query.text(), '\n');
    if (!deployed.empty()) {
      overview.deployment = std::move(deployment);
    }
  }
  if (with_executions <= 0) {
    return result;
  }
  std::map<std::string, JobOverview*> by_name;
  for (JobOverview& overview : result) {
    by_name[overview.job.job_name] = &overview;
  }
  Query newest(*m_session,
               "SELECT " + std::string(k_execution_columns) + " FROM (SELECT e.*, ROW_NUMBER() OVER " +
                   "(PARTITION BY job_name ORDER BY submitted_time DESC, id DESC) AS place "
                   "FROM data_job_execution e) AS numbered WHERE place <= :number ORDER BY job_name, place");
  newest.columns(k_execution_types).in(with_executions);
  while (newest.next()) {
    ExecutionRow row = read_execution(newest);
    if (const auto found = by_name.find(row.execution.job_name); found != by_name.end()) {
      found->second->executions.push_back(std::move(row.execution));
    }
  }
  return result;
}

}  // namespace vdk::control

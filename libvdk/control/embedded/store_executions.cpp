// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/status_numbers.hpp"
#include "control/embedded/store.hpp"
#include "control/embedded/store_session.hpp"

namespace vdk::control {
namespace {

const std::string k_select = "SELECT " + std::string(k_execution_columns) + " FROM data_job_execution ";

std::vector<ExecutionRow> rows(Query& query) {
  std::vector<ExecutionRow> result;
  while (query.next()) {
    result.push_back(read_execution(query));
  }
  return result;
}

}  // namespace

ExecutionRow read_execution(Query& query) {
  ExecutionRow row;
  Execution& execution = row.execution;
  execution.id = query.text();
  execution.job_name = query.text();
  execution.type = query.integer() == 0 ? ExecutionType::manual : ExecutionType::scheduled;
  execution.status = execution_status(query.integer());
  execution.message = query.text();
  execution.op_id = query.text();
  row.submitted_time = query.time_if().value_or(TimePoint());
  execution.start_time = query.time_if();
  execution.end_time = query.time_if();
  execution.scheduled_time = query.time_if();
  execution.started_by = query.text();
  row.arguments_json = query.text();
  row.cancel_requested = query.flag();
  execution.deployment = read_deployment(query);
  execution.deployment.job_name = execution.job_name;
  execution.deployment.status = DeploymentStatus::success;
  return row;
}

void Store::insert_execution(const ExecutionRow& row) {
  const Execution& execution = row.execution;
  Query query(*m_session,
              "INSERT INTO data_job_execution (" + std::string(k_execution_columns) +
                  ") VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, :p11, :p12, :p13, :p14, :p15, "
                  ":p16, :p17, :p18, :p19, :p20, :p21, :p22, :p23, :p24, :p25, :p26)");
  query.in(execution.id)
      .in(execution.job_name)
      .in(execution.type == ExecutionType::manual ? 0 : 1)
      .in(number_of(execution.status))
      .in(execution.message)
      .in(execution.op_id)
      .in(row.submitted_time)
      .in(execution.start_time)
      .in(execution.end_time)
      .in(execution.scheduled_time)
      .in(execution.started_by)
      .in(row.arguments_json)
      .in(row.cancel_requested);
  bind_deployment(query, execution.deployment).run();
}

std::optional<ExecutionRow> Store::execution(const std::string& job, const std::string& id) {
  Query query(*m_session, k_select + "WHERE job_name = :job AND id = :id");
  query.columns(k_execution_types).in(job).in(id);
  return query.next() ? std::optional(read_execution(query)) : std::nullopt;
}

std::vector<ExecutionRow> Store::executions(const std::string& job) {
  Query query(*m_session, k_select + "WHERE job_name = :job ORDER BY submitted_time DESC, id DESC");
  query.columns(k_execution_types).in(job);
  return rows(query);
}

std::vector<ExecutionRow> Store::unfinished(const std::string& job) {
  Query query(*m_session, k_select + "WHERE status IN (0, 1)" + (job.empty() ? "" : " AND job_name = :job"));
  query.columns(k_execution_types);
  if (!job.empty()) {
    query.in(job);
  }
  return rows(query);
}

bool Store::has_unfinished(const std::string& job) {
  Query query(*m_session, "SELECT 1 FROM data_job_execution WHERE job_name = :job AND status IN (0, 1)");
  query.columns("i").in(job);
  return query.next();
}

bool Store::has_scheduled(const std::string& job, TimePoint scheduled_time) {
  Query query(*m_session, "SELECT 1 FROM data_job_execution WHERE job_name = :job AND scheduled_time = :time");
  query.columns("i").in(job).in(scheduled_time);
  return query.next();
}

bool Store::execution_id_is_taken(const std::string& id) {
  Query query(*m_session, "SELECT 1 FROM data_job_execution WHERE id = :id");
  query.columns("i").in(id);
  return query.next();
}

bool Store::update_execution(const Execution& execution) {
  Query query(*m_session,
              "UPDATE data_job_execution SET status = :status, message = :message, start_time = :start, "
              "end_time = :end WHERE id = :id AND status IN (0, 1) RETURNING id");
  query.columns("s")
      .in(number_of(execution.status))
      .in(execution.message)
      .in(execution.start_time)
      .in(execution.end_time)
      .in(execution.id);
  return query.single();
}

void Store::request_cancel(const std::string& id) {
  Query(*m_session, "UPDATE data_job_execution SET cancel_requested = 1 WHERE id = :id").in(id).run();
}

std::vector<std::string> Store::outdated_executions(const std::string& job, int keep, TimePoint before) {
  Query query(*m_session,
              "SELECT id FROM (SELECT id, status, end_time, ROW_NUMBER() OVER (PARTITION BY job_name "
              "ORDER BY submitted_time DESC, id DESC) AS place FROM data_job_execution" +
                  std::string(job.empty() ? "" : " WHERE job_name = :job") +
                  ") AS numbered WHERE status NOT IN (0, 1) AND (place > :keep OR end_time < :before)");
  query.columns("s");
  if (!job.empty()) {
    query.in(job);
  }
  query.in(keep).in(before);
  std::vector<std::string> result;
  while (query.next()) {
    result.push_back(query.text());
  }
  return result;
}

void Store::delete_execution(const std::string& id) {
  Query(*m_session, "DELETE FROM data_job_execution WHERE id = :id").in(id).run();
}

std::vector<Due> Store::due() {
  Query query(*m_session,
              "SELECT job_name, scheduled_time FROM data_job_execution_due ORDER BY scheduled_time, job_name");
  query.columns("st");
  std::vector<Due> result;
  while (query.next()) {
    Due due;
    due.job_name = query.text();
    due.scheduled_time = query.time_if().value_or(TimePoint());
    result.push_back(std::move(due));
  }
  return result;
}

bool Store::claim_due(const Due& due) {
  // Whoever finds the row locked leaves it to the one who works on it.
  Query query(*m_session,
              "SELECT job_name FROM data_job_execution_due WHERE job_name = :job AND scheduled_time = :time" +
                  std::string(m_session->postgresql ? " FOR UPDATE SKIP LOCKED" : ""));
  query.columns("s").in(due.job_name).in(due.scheduled_time);
  return query.next();
}

void Store::put_due(const Due& due) {
  Query(*m_session,
        "INSERT INTO data_job_execution_due (job_name, scheduled_time) VALUES (:job, :time) "
        "ON CONFLICT (job_name) DO UPDATE SET scheduled_time = excluded.scheduled_time "
        "WHERE excluded.scheduled_time > data_job_execution_due.scheduled_time")
      .in(due.job_name)
      .in(due.scheduled_time)
      .run();
}

void Store::delete_due(const std::string& job) {
  Query(*m_session, "DELETE FROM data_job_execution_due WHERE job_name = :job").in(job).run();
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store_transfer.hpp"

#include <array>

#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

/// Everything but what speaks of the servers that run now; rows before those that refer to them.
constexpr std::array<const char*, 10> k_tables{"data_job",
                                               "data_job_source",
                                               "desired_data_job_deployment",
                                               "actual_data_job_deployment",
                                               "data_job_execution",
                                               "data_job_execution_due",
                                               "job_properties",
                                               "job_secrets",
                                               "service_state",
                                               "mail"};

struct Child {
  const char* table;
  const char* column;
};
constexpr std::array<Child, 6> k_children{{{"data_job_source", "job_name"},
                                           {"desired_data_job_deployment", "data_job_name"},
                                           {"data_job_execution", "job_name"},
                                           {"data_job_execution_due", "job_name"},
                                           {"job_properties", "job_name"},
                                           {"job_secrets", "job_name"}}};

struct Cell {
  std::string text;
  long long integer = 0;
  double real = 0;
  soci::indicator indicator = soci::i_ok;
};

/// Name and type of each column, as an SQLite database of this schema has them.
std::vector<std::pair<std::string, std::string>> columns_of(StoreSession& session, const std::string& table) {
  Query query(session, "SELECT name, type FROM pragma_table_info('" + table + "') ORDER BY cid");
  query.columns("ss");
  std::vector<std::pair<std::string, std::string>> result;
  while (query.next()) {
    std::string name = query.text();
    result.emplace_back(std::move(name), query.text());
  }
  return result;
}

}  // namespace

void StoreTransfer::copy(StoreSession& from, StoreSession& to, const std::string& table) {
  const auto columns = columns_of(from.postgresql ? to : from, table);
  std::vector<std::string> names;
  std::vector<std::string> values;
  std::vector<Cell> cells(columns.size());
  soci::statement reader(from.sql);
  soci::statement writer(to.sql);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Cell& cell = cells[i];
    names.push_back(columns[i].first);
    values.push_back(":c" + std::to_string(i));
    if (columns[i].second == "TEXT") {
      reader.exchange(soci::into(cell.text, cell.indicator));
      writer.exchange(soci::use(cell.text, cell.indicator));
    } else if (columns[i].second.starts_with("DOUBLE")) {
      reader.exchange(soci::into(cell.real, cell.indicator));
      writer.exchange(soci::use(cell.real, cell.indicator));
    } else {
      reader.exchange(soci::into(cell.integer, cell.indicator));
      writer.exchange(soci::use(cell.integer, cell.indicator));
    }
  }
  try {
    reader.alloc();
    reader.prepare("SELECT " + text::join(names, ", ") + " FROM " + table, soci::details::st_one_time_query);
    reader.define_and_bind();
    writer.alloc();
    writer.prepare("INSERT INTO " + table + " (" + text::join(names, ", ") + ") VALUES (" + text::join(values, ", ") +
                   ")");
    writer.define_and_bind();
    reader.execute(false);
    while (reader.fetch()) {
      writer.execute(true);
    }
  } catch (const soci::soci_error& problem) {
    fail_store(to, problem);
  }
}

void StoreTransfer::save(const std::filesystem::path& folder) {
  StoreSession& session = *m_store.m_session;
  if (!session.postgresql) {
    Query(session, "VACUUM INTO '" + text::replace_all((folder / "control.db").string(), "'", "''") + "'").run();
    return;
  }
  Store file({}, folder);
  // One snapshot for all tables; whoever writes goes on.
  Query(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").run();
  session.writing = true;
  try {
    Query(session, "SET LOCAL idle_in_transaction_session_timeout = 0").run();
    Store::Write write(file);
    for (const char* table : k_tables) {
      copy(session, *file.m_session, table);
    }
    write.commit();
  } catch (...) {
    session.writing = false;
    session.sql << "ROLLBACK";
    throw;
  }
  session.writing = false;
  Query(session, "COMMIT").run();
}

bool StoreTransfer::is_empty() {
  Query query(*m_store.m_session,
              "SELECT (SELECT COUNT(*) FROM data_job) + (SELECT COUNT(*) FROM actual_data_job_deployment)");
  query.columns("i");
  return query.next() && query.integer() == 0;
}

void StoreTransfer::load(Store& from) {
  StoreSession& session = *m_store.m_session;
  Store::Write write(m_store);
  if (session.postgresql) {
    Query(session, "SET LOCAL idle_in_transaction_session_timeout = 0").run();
    Query(session, "LOCK TABLE data_job IN EXCLUSIVE MODE").run();
  }
  if (!is_empty()) {
    throw Error(ErrorKind::conflict,
                {"cannot load the backup", "the database has jobs already", "Nothing was changed.",
                 "Load a backup into a new service: another home, or an empty PostgreSQL database."});
  }
  Query(session, "DELETE FROM service_state").run();
  Query(session, "DELETE FROM mail").run();
  for (const char* table : k_tables) {
    copy(*from.m_session, session, table);
  }
  // Times that were due then may have been started since, by the service that made the backup.
  Query(session, "DELETE FROM data_job_execution_due").run();
  Query(session, "DELETE FROM service_state WHERE name = 'scheduler_last_check'").run();
  Query(session, "UPDATE mail SET next_try = NULL").run();
  Query(session,
        "UPDATE data_job_execution SET status = 7, end_time = COALESCE(start_time, submitted_time), "
        "message = 'It is not known how this execution ended: it was not over when the backup was made.' "
        "WHERE status IN (0, 1)")
      .run();
  session.desired_changed = true;
  session.deployments_changed = true;
  write.commit();
}

std::vector<std::string> StoreTransfer::problems() {
  std::vector<std::string> result;
  StoreSession& session = *m_store.m_session;
  if (session.postgresql) {
    return result;  // PostgreSQL keeps its references itself; its pages are checked when they are read
  }
  Query integrity(session, "PRAGMA integrity_check(20)");
  integrity.columns("s");
  while (integrity.next()) {
    if (std::string line = integrity.text(); line != "ok") {
      result.push_back(std::move(line));
    }
  }
  return result;
}

std::vector<std::string> StoreTransfer::orphan_deployments() {
  Query query(*m_store.m_session,
              "SELECT data_job_name FROM actual_data_job_deployment WHERE data_job_name NOT IN "
              "(SELECT name FROM data_job) ORDER BY data_job_name");
  query.columns("s");
  std::vector<std::string> result;
  while (query.next()) {
    result.push_back(query.text());
  }
  return result;
}

std::vector<std::string> StoreTransfer::orphans(bool remove) {
  StoreSession& session = *m_store.m_session;
  std::vector<std::string> result;
  for (const Child& child : k_children) {
    const std::string condition =
        std::string(" FROM ") + child.table + " WHERE " + child.column + " NOT IN (SELECT name FROM data_job)";
    Query query(session, std::string("SELECT DISTINCT ") + child.column + condition);
    query.columns("s");
    while (query.next()) {
      result.push_back("rows in " + std::string(child.table) + " belong to the job '" + query.text() +
                       "', which does not exist");
    }
    if (remove) {
      Query(session, "DELETE" + condition).run();
    }
  }
  return result;
}

}  // namespace vdk::control

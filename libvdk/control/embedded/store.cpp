// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store.hpp"

#include "control/embedded/database.hpp"
#include "control/embedded/migrations.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr const char* k_desired_revision = "desired_revision";
constexpr const char* k_deployments_revision = "deployments_revision";

void grow(StoreSession& session, const char* revision) {
  Query(session,
        "INSERT INTO service_state (name, value) VALUES (:name, '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(service_state.value AS BIGINT) + 1 AS TEXT)")
      .in(std::string(revision))
      .run();
}

}  // namespace

Query& Query::in(const std::string& value) {
  // Output of jobs may be any bytes; a database of text refuses them, and with them the end of the execution.
  m_inputs.push_back({'s', clean_text(value), 0, 0, soci::i_ok});
  return *this;
}

Query& Query::columns(std::string_view types) {
  for (const char type : types) {
    m_outputs.emplace_back().type = type;
  }
  return *this;
}

bool Query::open(bool with_data) {
  ++m_session.statements;
  soci::statement& statement = m_statement.emplace(m_session.sql);
  for (Slot& slot : m_outputs) {
    if (slot.type == 's') {
      statement.exchange(soci::into(slot.text, slot.indicator));
    } else if (slot.type == 'd') {
      statement.exchange(soci::into(slot.real, slot.indicator));
    } else {
      statement.exchange(soci::into(slot.integer, slot.indicator));
    }
  }
  for (Slot& slot : m_inputs) {
    if (slot.type == 's') {
      statement.exchange(soci::use(slot.text, slot.indicator));
    } else if (slot.type == 'd') {
      statement.exchange(soci::use(slot.real, slot.indicator));
    } else {
      statement.exchange(soci::use(slot.integer, slot.indicator));
    }
  }
  statement.alloc();
  // Not kept by the server: preparing by name would cost two more round trips.
  statement.prepare(m_text, soci::details::st_one_time_query);
  statement.define_and_bind();
  return statement.execute(with_data);
}

bool Query::open_again(bool with_data) {
  try {
    return open(with_data);
  } catch (const soci::soci_error& problem) {
    if (m_session.writing || !m_session.lost()) {
      fail_store(m_session, problem);
    }
  }
  // The database was restarted since the last use: nothing is half done, so once more on a new connection.
  m_statement.reset();
  m_session.reconnect();
  try {
    return open(with_data);
  } catch (const soci::soci_error& problem) {
    fail_store(m_session, problem);
  }
}

void Query::run() { (void)open_again(true); }

bool Query::next() {
  if (!m_opened) {
    (void)open_again(false);
    m_opened = true;
  }
  m_cursor = 0;
  try {
    return m_statement->fetch();
  } catch (const soci::soci_error& problem) {
    fail_store(m_session, problem);
  }
}

bool Query::single() {
  if (!next()) {
    return false;
  }
  while (next()) {
  }
  return true;
}

Store::Store(const DatabaseOptions& database, const std::filesystem::path& home)
    : m_session(std::make_unique<StoreSession>()) {
  m_session->open(database, home);
  migrate();
}

Store::~Store() = default;

void Store::migrate() {
  if (const long long present = schema_version(*m_session); present != known_schema_version()) {
    Write write(*this);
    control::migrate(*m_session);
    write.commit();
  }
}

Store::Write::Write(Store& store) : m_store(store) {
  StoreSession& session = *m_store.m_session;
  // IMMEDIATE: wait for the write lock here, where waiting is possible, and not in the middle.
  Query(session, session.postgresql ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN IMMEDIATE").run();
  session.writing = true;
  session.desired_changed = false;
  session.deployments_changed = false;
}

Store::Write::~Write() {
  if (m_open) {
    m_store.m_session->writing = false;
    m_store.m_session->committing = false;
    try {
      m_store.m_session->sql << "ROLLBACK";
    } catch (const std::exception&) {
      // The database rolls back by itself when the transaction is gone already.
      m_open = false;
    }
  }
}

void Store::Write::commit() {
  StoreSession& session = *m_store.m_session;
  // Last and always in this order: everybody writes these two rows, and the shorter they are locked the better.
  if (session.desired_changed) {
    grow(session, k_desired_revision);
  }
  if (session.deployments_changed) {
    grow(session, k_deployments_revision);
  }
  session.committing = true;
  Query(session, "COMMIT").run();
  session.committing = false;
  session.writing = false;
  m_open = false;
}

void Store::changed(bool StoreSession::*revision, const std::function<void()>& change) {
  if (m_session->writing) {
    (*m_session).*revision = true;
    change();
    return;
  }
  Write write(*this);
  (*m_session).*revision = true;
  change();
  write.commit();
}

void Store::lock_job(const std::string& name) {
  if (m_session->postgresql) {
    // NO KEY: rows that refer to the job may still be added meanwhile; their unique columns guard them.
    Query query(*m_session, "SELECT name FROM data_job WHERE name = :name FOR NO KEY UPDATE");
    query.columns("s").in(name);
    (void)query.next();
  }
}

long long Store::desired_revision() {
  return text::parse_int(state(k_desired_revision).value_or(std::string())).value_or(0);
}

long long Store::deployments_revision() {
  return text::parse_int(state(k_deployments_revision).value_or(std::string())).value_or(0);
}

long long Store::statements() const noexcept { return m_session->statements; }

namespace {

std::optional<std::string> value_of(StoreSession& session, const std::string& sql, const std::string& key) {
  Query query(session, sql);
  query.columns("s").in(key);
  return query.next() ? std::optional(query.text()) : std::nullopt;
}

}  // namespace

std::optional<SourceRecord> Store::source(const std::string& job) {
  Query query(*m_session, "SELECT tree_oid, commit_sha FROM data_job_source WHERE job_name = :job");
  query.columns("ss").in(job);
  if (!query.next()) {
    return std::nullopt;
  }
  SourceRecord record;
  record.tree_oid = query.text();
  record.commit_sha = query.text();
  return record;
}

std::vector<std::pair<std::string, SourceRecord>> Store::all_sources() {
  Query query(*m_session, "SELECT job_name, tree_oid, commit_sha FROM data_job_source ORDER BY job_name");
  query.columns("sss");
  std::vector<std::pair<std::string, SourceRecord>> result;
  while (query.next()) {
    auto& [job, record] = result.emplace_back();
    job = query.text();
    record.tree_oid = query.text();
    record.commit_sha = query.text();
  }
  return result;
}

void Store::put_source(const std::string& job, const SourceRecord& record) {
  Query(*m_session,
        "INSERT INTO data_job_source (job_name, tree_oid, commit_sha) VALUES (:job, :tree, :sha) "
        "ON CONFLICT (job_name) DO UPDATE SET tree_oid = excluded.tree_oid, commit_sha = excluded.commit_sha")
      .in(job)
      .in(record.tree_oid)
      .in(record.commit_sha)
      .run();
}

void Store::delete_source(const std::string& job) {
  Query(*m_session, "DELETE FROM data_job_source WHERE job_name = :job").in(job).run();
}

std::optional<std::string> Store::properties(const std::string& job) {
  return value_of(*m_session, "SELECT properties_json FROM job_properties WHERE job_name = :job", job);
}

void Store::put_properties(const std::string& job, const std::string& json) {
  Query(*m_session,
        "INSERT INTO job_properties (job_name, properties_json) VALUES (:job, :json) "
        "ON CONFLICT (job_name) DO UPDATE SET properties_json = excluded.properties_json")
      .in(job)
      .in(json)
      .run();
}

std::optional<std::string> Store::secrets(const std::string& job) {
  return value_of(*m_session, "SELECT ciphertext FROM job_secrets WHERE job_name = :job", job);
}

void Store::put_secrets(const std::string& job, const std::string& ciphertext) {
  Query(*m_session,
        "INSERT INTO job_secrets (job_name, ciphertext) VALUES (:job, :text) "
        "ON CONFLICT (job_name) DO UPDATE SET ciphertext = excluded.ciphertext")
      .in(job)
      .in(ciphertext)
      .run();
}

std::optional<std::string> Store::state(const std::string& name) {
  return value_of(*m_session, "SELECT value FROM service_state WHERE name = :name", name);
}

void Store::put_state(const std::string& name, const std::string& value) {
  Query(*m_session,
        "INSERT INTO service_state (name, value) VALUES (:name, :value) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .in(name)
      .in(value)
      .run();
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store.hpp"

#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <algorithm>

#include "control/embedded/migrations.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {

void fail_store(const std::exception& problem) {
  // SOCI adds the statement with every bound value: properties and arguments of jobs do not belong into messages.
  std::string why = problem.what();
  why.resize(std::min(why.size(), why.find(" while ")));
  throw Error(ErrorKind::platform,
              {"cannot use the control service's database", why, "The operation was not carried out.",
               "Check that the disk of the service's home has space and is writable, and try again."});
}

Query& Query::columns(std::string_view types) {
  for (const char type : types) {
    Slot& slot = m_outputs.emplace_back();
    if (type == 's') {
      m_statement.exchange(soci::into(slot.text, slot.indicator));
    } else if (type == 'd') {
      m_statement.exchange(soci::into(slot.real, slot.indicator));
    } else {
      m_statement.exchange(soci::into(slot.integer, slot.indicator));
    }
  }
  return *this;
}

void Query::open() {
  ++m_session.statements;
  m_statement.alloc();
  m_statement.prepare(m_text);
  m_statement.define_and_bind();
  m_opened = true;
}

void Query::run() {
  try {
    open();
    m_statement.execute(true);
  } catch (const soci::soci_error& problem) {
    fail_store(problem);
  }
}

bool Query::next() {
  try {
    if (!m_opened) {
      open();
      m_statement.execute(false);
    }
    m_cursor = 0;
    return m_statement.fetch();
  } catch (const soci::soci_error& problem) {
    fail_store(problem);
  }
}

Store::Store(const DatabaseOptions& /*database*/, const std::filesystem::path& home)
    : m_session(std::make_unique<StoreSession>()) {
  const mode_t old_mask = umask(0077);
  try {
    m_session->sql.open(soci::sqlite3, "dbname=\"" + (home / "control.db").string() + "\"");
    auto& sql = m_session->sql;
    sql << "PRAGMA busy_timeout = 30000";
    // WAL had a bug that could corrupt a database after a reset until 3.51.3.
    if (sqlite_api::sqlite3_libversion_number() >= 3051003) {
      sql << "PRAGMA journal_mode = WAL";
    }
    sql << "PRAGMA synchronous = FULL";
    sql << "PRAGMA foreign_keys = ON";
    umask(old_mask);
    migrate();
  } catch (const soci::soci_error& problem) {
    umask(old_mask);
    fail_store(problem);
  }
}

Store::~Store() = default;

void Store::migrate() {
  auto& sql = m_session->sql;
  const auto known = static_cast<long long>(migrations().size());
  const auto version = [&] {
    long long number = 0;
    soci::indicator indicator = soci::i_ok;
    sql << "SELECT MAX(version) FROM schema_version", soci::into(number, indicator);
    return indicator == soci::i_null ? 0LL : number;
  };
  sql << "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)";
  if (version() == known) {
    return;
  }
  Write write(*this);
  const long long present = version();  // another process may have been faster
  if (present > known) {
    throw Error(ErrorKind::platform, {"cannot use the control service's database",
                                      "its schema has version " + std::to_string(present) +
                                          ", this vdk knows versions up to " + std::to_string(known),
                                      "Nothing was read or changed.", "Use the newer vdk that wrote it."});
  }
  for (long long step = present; step < known; ++step) {
    std::string statement;
    for (const std::string& line : text::lines(migrations()[static_cast<std::size_t>(step)])) {
      statement += line + "\n";
      if (line.ends_with(';')) {
        statement.resize(statement.size() - 2);
        sql << statement;
        statement.clear();
      }
    }
    const long long number = step + 1;
    sql << "INSERT INTO schema_version (version) VALUES (:version)", soci::use(number);
  }
  write.commit();
}

Store::Write::Write(Store& store) : m_store(store) {
  // IMMEDIATE: wait for the write lock here, where waiting is possible, and not in the middle.
  Query(*m_store.m_session, "BEGIN IMMEDIATE").run();
}

Store::Write::~Write() {
  if (m_open) {
    try {
      m_store.m_session->sql << "ROLLBACK";
    } catch (const std::exception&) {
      // The database rolls back by itself when the transaction is gone already.
      m_open = false;
    }
  }
}

void Store::Write::commit() {
  Query(*m_store.m_session, "COMMIT").run();
  m_open = false;
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

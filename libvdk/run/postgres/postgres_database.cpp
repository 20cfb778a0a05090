// SPDX-License-Identifier: Apache-2.0
#include "run/postgres/postgres_database.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "run/process/signals.hpp"
#include "run/sql/script.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using postgres::Connection;
using postgres::Refusal;
using postgres::Transaction;

/// What makes a script manage its transactions by itself.
bool begins(std::string_view statement) {
  const std::string word = first_word(statement);
  return word == "begin" || word == "start";
}

bool ends(std::string_view statement) {
  const std::string word = first_word(statement);
  return word == "commit" || word == "end" || word == "rollback" || word == "abort";
}

/// Bytes in front of a character, counted from 0.
std::size_t offset_of(std::string_view text, std::size_t character) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool first = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (first && character-- == 0) {
      break;
    }
  }
  return at;
}

std::string explain(const Refusal& refusal) {
  std::string why = refusal.message + (refusal.state.empty() ? "" : " [" + refusal.state + "]");
  if (!refusal.context.empty()) {
    why += "; in " + refusal.context.substr(0, refusal.context.find('\n'));
  }
  return why + (refusal.hint.empty() ? "" : "; hint: " + refusal.hint);
}

}  // namespace

Refusal refused_copy() {
  Refusal refusal;
  refusal.state = "0A000";
  refusal.message = refusal.primary = "COPY FROM STDIN and COPY TO STDOUT have no data to read or write in a job";
  refusal.hint = "send rows by ingestion, or read them with a query";
  return refusal;
}

ErrorKind kind_of(const Refusal& refusal) {
  const std::string group = refusal.state.substr(0, 2);
  const bool shut_down = refusal.state.starts_with("57P");
  if (refusal.state.empty() || shut_down || group == "08" || group == "53" || group == "58" || group == "XX") {
    return ErrorKind::platform;
  }
  return group == "28" ? ErrorKind::configuration : ErrorKind::user_code;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

PostgresDatabase::PostgresDatabase(std::string name, postgres::Parameters settings, const LogLines& lines)
    : m_name(std::move(name)), m_settings(std::move(settings)), m_lines(lines) {}

Connection& PostgresDatabase::connection() {
  note_used();
  if (m_connection && m_connection->was_closed()) {
    m_lost_work = m_open;
    drop();
    m_lines.warning("the server has closed the connection to the database '" + m_name + "': a new one is made");
  }
  if (!m_connection) {
    connect();
  }
  return *m_connection;
}

void PostgresDatabase::connect() {
  auto made = std::make_unique<Connection>(m_settings);
  // How values look; a role or a database may have it otherwise.
  if (!made->reported("DateStyle").starts_with("ISO")) {
    made->execute("SET DateStyle TO 'ISO'");
  }
  if (made->reported("IntervalStyle") != "postgres") {
    made->execute("SET IntervalStyle TO 'postgres'");
  }
  m_connection = std::move(made);
}

void PostgresDatabase::drop() {
  m_stream.reset();
  m_connection.reset();
  m_open = false;
  m_asked = false;
}

/// Behind a statement: whether the job itself has begun the transaction that is open now.
void PostgresDatabase::note_transaction(Transaction before) {
  const Transaction now = m_connection->transaction();
  m_open = now == Transaction::open || now == Transaction::failed;
  m_asked = m_open && (m_asked || before == Transaction::idle);
}

void PostgresDatabase::run_statement(const std::string& text) {
  const Transaction before = m_connection->transaction();
  m_connection->send(text);
  Connection::Result bad;
  bool copies = false;
  while (Connection::Result result = m_connection->take()) {
    copies = copies || Connection::is_copy(result.get());
    if (!bad && Connection::is_bad(result.get())) {
      bad = std::move(result);
    }
  }
  if (!m_connection->is_lost()) {
    note_transaction(before);
  }
  if (copies) {
    throw refused_copy();
  }
  if (bad || m_connection->is_lost()) {
    throw Refusal(m_connection->refusal_of(bad.get()));
  }
}

/// The transaction of a script or a query ends with it, the one that the job began stays.
void PostgresDatabase::commit_own() {
  if (m_open && !m_asked) {
    m_connection->execute("COMMIT");
    m_open = false;
  }
}

/// What is open is taken back, whoever began it; a connection that broke is forgotten.
void PostgresDatabase::roll_back() {
  m_open = false;
  m_asked = false;
  if (!m_connection) {
    return;
  }
  try {
    if (!m_connection->is_lost() && m_connection->transaction() != Transaction::idle) {
      m_connection->execute("ROLLBACK");
    }
  } catch (const Refusal&) {
    drop();
    return;
  }
  if (m_connection->is_lost()) {
    drop();
  }
}

/// Statements of a script one by one, the first `count` of them; several are one transaction.
void PostgresDatabase::run_parts(const std::string& sql, const std::vector<StatementPlace>& parts,
                                 const std::string& prefix, std::size_t count) {
  const bool by_itself = std::any_of(parts.begin(), parts.end(), [&](const StatementPlace& part) {
    return begins(std::string_view(sql).substr(part.start, part.end - part.start));
  });
  for (m_failed = 0; m_failed < parts.size(); ++m_failed) {
    if (!by_itself && parts.size() > 1 && m_connection->transaction() == Transaction::idle) {
      m_connection->execute("BEGIN");
      m_open = true;
    }
    if (m_failed == count) {
      return;
    }
    const StatementPlace& part = parts[m_failed];
    if (on_statement) {
      on_statement(m_failed + 1, parts.size());
    }
    run_statement(prefix + sql.substr(part.start, part.end - part.start));
  }
}

/// A connection on which statements can run: a transaction that an earlier step left open may be beyond help.
void PostgresDatabase::prepare_script(const std::string& place) {
  try {
    (void)connection();
    discard_stream();
  } catch (const Refusal& refusal) {
    roll_back();
    throw Error(kind_of(refusal), {"cannot run " + place, "a statement before it has failed: " + explain(refusal),
                                   "what was not committed is rolled back, and the job stops here",
                                   "Read all rows of a query before the step ends"});
  }
  if (m_lost_work) {
    m_lost_work = false;
    throw Error(ErrorKind::platform,
                {"cannot run " + place, "the server has closed the connection while a transaction was open",
                 "what that transaction did is not stored, and the job stops here",
                 "Run the steps that belong to the transaction again"});
  }
  if (m_connection->transaction() == Transaction::failed) {
    roll_back();
    throw Error(ErrorKind::user_code,
                {"cannot run " + place, "a step before it left a transaction open in which a statement had failed",
                 "that transaction is rolled back, and the job stops here",
                 "Call rollback() of the connection where the step catches the error of its statement"});
  }
}

void PostgresDatabase::run_script(const std::string& sql, const std::string& place, const std::string& prefix) {
  check_script(sql, place);
  prepare_script(place);
  const auto parts = split_statements(sql, m_connection->reported("standard_conforming_strings") == "off");
  const std::string_view text(sql);
  const bool controls = m_asked || std::any_of(parts.begin(), parts.end(), [&](const StatementPlace& part) {
                          const auto statement = text.substr(part.start, part.end - part.start);
                          return begins(statement) || ends(statement);
                        });
  m_failed = 0;
  try {
    run_parts(sql, parts, prefix, parts.size());
    commit_own();
  } catch (Refusal refusal) {
    const std::size_t before = count_characters(prefix);
    const StatementPlace part = parts[std::min(m_failed, parts.size() - 1)];
    const std::string_view statement = text.substr(part.start, part.end - part.start);
    const bool known = refusal.position > before;
    const std::size_t at = known ? part.start + offset_of(statement, refusal.position - before - 1) : part.start;
    const bool alone = refusal.message.find("inside a transaction block") != std::string::npos && parts.size() > 1;
    roll_back();
    throw statement_error(
        kind_of(refusal), {sql, part.start, at, part.end, place}, explain(refusal),
        controls ? "the transaction that was open is rolled back, and the job stops here"
                 : "nothing that this step did there is stored, and the job stops here",
        alone ? "Put this statement into a file of its own: several statements of a file are one transaction" : "");
  }
}

std::string PostgresDatabase::value(const std::string& sql) {
  const auto values = m_connection->column(sql, "");
  return values.empty() ? "" : values.front();
}

bool PostgresDatabase::has_written() {
  return m_connection->transaction() == Transaction::failed ||
         value("SELECT txid_current_if_assigned()::text WHERE $1::text = ''") != "";
}

std::string PostgresDatabase::open_state() {
  if (!m_connection || m_connection->is_lost()) {
    return {};
  }
  if (m_stream || m_asked || m_connection->transaction() == Transaction::active) {
    return m_asked ? "a transaction is open" : "not all rows of a query are read";
  }
  constexpr const char* sql =
      "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()) "
      "THEN 'it has temporary tables' "
      "WHEN EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql) THEN 'it has prepared statements' "
      "WHEN EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE name <> '') THEN 'it has an open cursor' "
      "WHEN EXISTS (SELECT FROM pg_catalog.pg_listening_channels()) THEN 'it listens' "
      "WHEN EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()) "
      "THEN 'it holds an advisory lock' "
      "WHEN EXISTS (SELECT FROM pg_catalog.pg_settings WHERE source = 'session' "
      // What `connect` has set, and what SET TRANSACTION has: that is told as the session's when the transaction is
      // over.
      "AND NOT (name = 'DateStyle' AND setting = 'ISO, ' || pg_catalog.split_part(reset_val, ', ', 2)) "
      "AND NOT (name = 'IntervalStyle' AND setting = 'postgres') "
      "AND setting IS DISTINCT FROM pg_catalog.current_setting('default_' || name, true)) "
      "OR pg_catalog.current_setting('role') <> 'none' "
      "OR session_user <> (SELECT usename FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()) "
      "THEN 'a SET has changed it' ELSE '' END WHERE $1::text = ''";
  try {
    return m_open && has_written() ? "a transaction is open" : value(sql);
  } catch (const Refusal&) {
    return "its state is not known";
  }
}

bool PostgresDatabase::close(bool stamped) {
  bool written = false;
  try {
    if (m_connection && !m_connection->is_lost() && SignalGuard::received() == 0) {
      discard_stream();
      written = m_open && has_written();
      roll_back();
    }
  } catch (const std::exception&) {
    written = m_open;
  } catch (const Refusal&) {
    written = m_open;
  }
  m_stamp = stamped && m_connection ? ask_stamp() : "";
  drop();  // the server rolls back what is open
  return written;
}

std::string PostgresDatabase::stamp() {
  if (m_stamp.empty()) {
    m_stamp = ask_stamp();
    drop();
  }
  return m_stamp;
}

std::string PostgresDatabase::identity() {
  if (m_identity.empty() && m_connection && !m_stream && m_connection->transaction() != Transaction::failed) {
    try {
      ask_identity();
    } catch (const Refusal&) {
      m_identity.clear();  // asked again at the end
    }
  }
  return m_identity;
}

void PostgresDatabase::ask_identity() {
  constexpr const char* readable =
      "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')::text WHERE $1::text = ''";
  constexpr const char* system =
      "SELECT system_identifier::text FROM pg_catalog.pg_control_system() WHERE $1::text = ''";
  constexpr const char* number =
      "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() AND $1::text = ''";
  const std::string server = value(readable) == "true" ? value(system) : m_connection->address();
  m_identity = text::replace_all(server, ":", ".") + "." + value(number);
}

std::string PostgresDatabase::ask_stamp() {
  std::string writers = "unknown:" + random_hex(8);
  try {
    if (SignalGuard::received() == 0) {
      (void)connection();
      ask_identity();
      const std::string now = value("SELECT txid_current_snapshot()::text WHERE $1::text = ''");
      // Writers that are still at it may store something without a new number.
      writers = text::replace_all(now, ":", ".") + ":" + (now.ends_with(':') ? "" : random_hex(8));
    }
  } catch (const Refusal&) {
    drop();
  } catch (const Error&) {
    drop();
  }
  return m_identity + ":" + writers;
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/sql/sqlite_database.hpp"

#include "run/process/signals.hpp"
#include "run/sql/script.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

constexpr int busy_milliseconds = 10'000;
constexpr int steps_between_signal_checks = 10'000;

int stop_on_signal(void* /*unused*/) { return SignalGuard::received() != 0 ? 1 : 0; }

/// Allows all that is done and notes what is attached.
int note_attached(void* names, int action, const char* name, const char* /*unused*/, const char* /*unused*/,
                  const char* /*unused*/) {
  if (action == SQLITE_ATTACH && (name == nullptr || *name != '\0')) {
    static_cast<std::set<std::string>*>(names)->emplace(name == nullptr ? "" : name);
  }
  return SQLITE_OK;
}

bool has_rows(sqlite3* db, const char* sql) {
  bool found = false;
  const auto note = [](void* flag, int, char**, char**) {
    *static_cast<bool*>(flag) = true;
    return 0;
  };
  sqlite3_exec(db, sql, note, &found, nullptr);
  return found;
}

}  // namespace

sqlite3* SqliteDatabase::connection() {
  if (m_connection) {
    return m_connection.get();
  }
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(m_path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, nullptr);
  m_connection.reset(db);
  if (code != SQLITE_OK) {
    const std::string why = db != nullptr ? sqlite3_errmsg(db) : "out of memory";
    m_connection.reset();
    throw Error(ErrorKind::configuration, {"cannot open the SQLite database '" + m_path.string() + "'", why,
                                           "the step cannot run and the job stops here",
                                           "Check that the folder of sqlite_file exists and can be written"});
  }
  sqlite3_busy_timeout(db, busy_milliseconds);
  sqlite3_progress_handler(db, steps_between_signal_checks, stop_on_signal, nullptr);
  sqlite3_set_authorizer(db, note_attached, &m_attached);
  return db;
}

void SqliteDatabase::run_script(const std::string& sql, const std::string& place, const std::string& prefix) {
  if (text::lower(sql).find("pragma") != std::string::npos) {
    m_state = "a PRAGMA may have changed it";
  }
  run::run_script(connection(), sql, place, prefix, on_statement);
}

std::string SqliteDatabase::open_state() {
  if (!m_state.empty() || !m_connection) {
    return m_state;
  }
  sqlite3* db = m_connection.get();
  if (sqlite3_get_autocommit(db) == 0) {
    return "a transaction is open";
  }
  if (has_rows(db, "SELECT 1 FROM temp.sqlite_master")) {
    return "it has temporary tables";
  }
  if (has_rows(db, "SELECT 1 FROM pragma_database_list WHERE name NOT IN ('main', 'temp')")) {
    return "another database is attached";
  }
  return {};
}

bool SqliteDatabase::close(bool /*stamped*/) {
  const bool open = m_connection && sqlite3_get_autocommit(m_connection.get()) == 0;
  if (open) {
    sqlite3_progress_handler(m_connection.get(), 0, nullptr, nullptr);
    sqlite3_exec(m_connection.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  m_connection.reset();
  return open;
}

}  // namespace vdk::run

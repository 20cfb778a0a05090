// SPDX-License-Identifier: Apache-2.0
#include "run/databases.hpp"

#include <vector>

#include "run/signals.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

constexpr int busy_milliseconds = 10'000;
constexpr int steps_between_signal_checks = 10'000;

int stop_on_signal(void* /*unused*/) { return SignalGuard::received() != 0 ? 1 : 0; }

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

Databases::Databases(std::map<std::string, std::filesystem::path> files, std::string default_name)
    : m_files(std::move(files)), m_default_name(std::move(default_name)) {}

std::filesystem::path Databases::file(std::string_view name) const {
  const std::string wanted = text::lower(name.empty() ? std::string_view(m_default_name) : name);
  const auto found = m_files.find(wanted);
  if (found != m_files.end()) {
    return found->second;
  }
  std::vector<std::string> known;
  for (const auto& entry : m_files) {
    known.push_back(entry.first);
  }
  throw Error(ErrorKind::configuration,
              {"cannot connect to database '" + wanted + "'",
               "there is no database type or section of that name; known: " + text::quoted_list(known),
               "the step cannot run and the job stops here",
               "Correct db_default_type, or add a section [vdk_" + wanted + "] with sqlite_file to config.ini"});
}

sqlite3* Databases::connection(const std::filesystem::path& path) {
  auto& slot = m_connections[path];
  if (slot) {
    return slot.get();
  }
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, nullptr);
  slot.reset(db);
  if (code != SQLITE_OK) {
    const std::string why = db != nullptr ? sqlite3_errmsg(db) : "out of memory";
    m_connections.erase(path);
    throw Error(ErrorKind::configuration, {"cannot open the SQLite database '" + path.string() + "'", why,
                                           "the step cannot run and the job stops here",
                                           "Check that the folder of sqlite_file exists and can be written"});
  }
  sqlite3_busy_timeout(db, busy_milliseconds);
  sqlite3_progress_handler(db, steps_between_signal_checks, stop_on_signal, nullptr);
  return db;
}

std::string Databases::open_state() const {
  if (!m_state.empty()) {
    return m_state;
  }
  for (const auto& [path, db] : m_connections) {
    if (!db) {
      continue;
    }
    if (sqlite3_get_autocommit(db.get()) == 0) {
      return "a transaction is open";
    }
    if (has_rows(db.get(), "SELECT 1 FROM temp.sqlite_master")) {
      return "it has temporary tables";
    }
    if (has_rows(db.get(), "SELECT 1 FROM pragma_database_list WHERE name NOT IN ('main', 'temp')")) {
      return "another database is attached";
    }
  }
  return {};
}

std::vector<std::string> Databases::close() {
  std::vector<std::string> open_transactions;
  for (auto& [path, db] : m_connections) {
    if (db && sqlite3_get_autocommit(db.get()) == 0) {
      open_transactions.push_back(path.string());
      sqlite3_progress_handler(db.get(), 0, nullptr, nullptr);
      sqlite3_exec(db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  m_connections.clear();
  return open_transactions;
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store_session.hpp"

#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <algorithm>

#include "control/embedded/database.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

std::string reason(const StoreSession& session, const std::exception& problem) {
  // SOCI adds the statement with every bound value: properties and arguments of jobs do not belong into messages. The
  // same goes for what PostgreSQL tells below its first line.
  std::string why = problem.what();
  why.resize(std::min(why.size(), why.find(" while ")));
  for (const std::string_view prefix : {"Cannot execute query. ", "Cannot establish connection to the database.\n"}) {
    if (why.starts_with(prefix)) {
      why.erase(0, prefix.size());
    }
  }
  why.resize(std::min(why.size(), why.find('\n')));
  if (why.starts_with("ERROR:")) {
    why.erase(0, 6);
  }
  if (session.secret.size() > 2) {
    why = text::replace_all(why, session.secret, "***");
  }
  return std::string(text::trim(why));
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

Error cannot_connect(const StoreSession& session, const std::exception& problem) {
  const std::string all = problem.what();
  const std::string what = "cannot open the database " + session.place;
  const std::string consequences = "Nothing was read or changed.";
  if (all.find("shared library for backend") != std::string::npos) {
    return {ErrorKind::unsupported,
            {what, "this machine has no PostgreSQL client libraries for vdk (SOCI's postgresql backend)", consequences,
             "Install them, on Debian with `apt-get install libsoci-postgresql4.0`."}};
  }
  // libpq repeats itself for each address that it tried; the last line has the reason.
  const std::string why = reason(session, problem);
  if (mentions(all, {"authentication failed", "no password supplied", "no pg_hba.conf entry"})) {
    return {ErrorKind::configuration,
            {what, why, consequences, "Check database.username and database.password of the server's configuration."}};
  }
  if (mentions(all, {"does not exist", "invalid connection option", "invalid sslmode"})) {
    return {ErrorKind::configuration,
            {what, why, consequences,
             "Create the database and its owner first, or correct database.url and database.username."}};
  }
  return {ErrorKind::unreachable,
          {what, why, consequences, "Check that the database runs and that database.url names its host and port."}};
}

}  // namespace

void fail_store(StoreSession& session, const std::exception& problem) {
  const std::string why = reason(session, problem);
  const auto* database = dynamic_cast<const soci::soci_error*>(&problem);
  const auto category = database != nullptr ? database->get_error_category() : soci::soci_error::unknown;
  const std::string consequences = "The operation was not carried out.";
  if (session.lost()) {
    throw Error(ErrorKind::unreachable,
                {"lost the connection to the database " + session.place, why,
                 session.committing ? "It is not known whether the change was stored." : consequences,
                 "Check that the database runs; vdk connects again at the next request."});
  }
  if (category == soci::soci_error::constraint_violation || mentions(why, {"constraint failed"})) {
    throw Error(ErrorKind::conflict,
                {"somebody else changed the same at the same time", why, consequences, "Look at it and try again."});
  }
  if (category == soci::soci_error::no_privilege) {
    throw Error(ErrorKind::configuration, {"the database refuses vdk's user", why, consequences,
                                           "Make the user of database.username the owner of the database."});
  }
  throw Error(ErrorKind::platform,
              {"cannot use the control service's database", why, consequences,
               session.postgresql ? "Try again; if it stays so, look into the log of PostgreSQL."
                                  : "Check that the disk of the service's home has space and is writable, and "
                                    "try again."});
}

void StoreSession::open(const DatabaseOptions& options, const std::filesystem::path& home) {
  postgresql = is_postgresql(options);
  if (postgresql) {
    open_postgresql(options);
    return;
  }
  const std::string path = (home / "control.db").string();
  place = "'" + path + "'";
  // SQLite gives its journals the mode of the database; a mask would be the whole process's. Never open() and close():
  // that would drop the locks of every other session of this process on the file. An existing file stays as it is.
  (void)::mknod(path.c_str(), S_IFREG | 0600, 0);
  try {
    sql.open(soci::sqlite3, "dbname=\"" + path + "\"");
    sql << "PRAGMA busy_timeout = 30000";
    // WAL had a bug that could corrupt a database after a reset until 3.51.3.
    if (sqlite_api::sqlite3_libversion_number() >= 3051003) {
      sql << "PRAGMA journal_mode = WAL";
    }
    sql << "PRAGMA synchronous = FULL";
    sql << "PRAGMA foreign_keys = ON";
  } catch (const soci::soci_error& problem) {
    fail_store(*this, problem);
  }
}

void StoreSession::open_postgresql(const DatabaseOptions& options) {
  const PostgresAddress address = parse_postgres(options);
  place = address.place;
  secret = address.password;
  m_schema = address.schema;
  // Found by the system's loader only, not in the folder where somebody happens to stand.
  std::erase(soci::dynamic_backends::search_paths(), ".");
  try {
    sql.open("postgresql", address.connection);
  } catch (const soci::soci_error& problem) {
    throw cannot_connect(*this, problem);
  }
  set_up();
}

void StoreSession::set_up() {
  try {
    sql << "SET client_encoding = 'UTF8'";
    sql << "SET client_min_messages = warning";
    // The same patience as SQLite's busy_timeout; and a server that hangs in a transaction does not stop the others.
    sql << "SET lock_timeout = 30000";
    sql << "SET idle_in_transaction_session_timeout = 60000";
    if (!m_schema.empty()) {
      sql << "SELECT set_config('search_path', :schema, false)", soci::use(m_schema), soci::into(m_schema);
    }
  } catch (const soci::soci_error& problem) {
    fail_store(*this, problem);
  }
}

bool StoreSession::lost() noexcept { return postgresql && !sql.is_connected(); }

void StoreSession::reconnect() {
  try {
    sql.reconnect();
  } catch (const soci::soci_error& problem) {
    throw cannot_connect(*this, problem);
  }
  set_up();
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/store_support.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "control/embedded/database.hpp"

namespace vdk::control::testing {
namespace {

void open(soci::session& sql, const DatabaseOptions& options, const std::filesystem::path& home) {
  if (options.url.empty()) {
    sql.open(soci::sqlite3, "dbname=\"" + (home / "control.db").string() + "\"");
    return;
  }
  const PostgresAddress address = parse_postgres(options);
  sql.open("postgresql", address.connection);
  if (!address.schema.empty()) {
    sql << "SET search_path = " + address.schema;
  }
}

}  // namespace

TestDatabase::TestDatabase(std::filesystem::path home) : m_home(std::move(home)) {
  const char* url = std::getenv("VDK_TEST_DATABASE_URL");  // NOLINT(concurrency-mt-unsafe)
  if (url == nullptr || *url == '\0') {
    return;
  }
  static std::atomic<int> number{0};
  m_schema = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  m_options.url = url;
  soci::session sql;
  open(sql, m_options, m_home);
  sql << "CREATE SCHEMA " + m_schema;
  m_options.url += "?currentSchema=" + m_schema;
}

TestDatabase::~TestDatabase() {
  if (!m_schema.empty()) {
    try {
      soci::session sql;
      open(sql, m_options, m_home);
      // Whoever still holds a lock there is a test that failed.
      sql << "SET lock_timeout = 5000";
      sql << "SET client_min_messages = warning";
      sql << "DROP SCHEMA " + m_schema + " CASCADE";
    } catch (const std::exception&) {
      return;  // the server goes away with all of it
    }
  }
}

void TestDatabase::execute(const std::string& sql) const {
  soci::session session;
  open(session, m_options, m_home);
  session << sql;
}

std::string TestDatabase::query(const std::string& sql) const {
  soci::session session;
  open(session, m_options, m_home);
  const soci::rowset<std::string> rows = session.prepare << sql;
  std::string result;
  for (const std::string& row : rows) {
    result += (result.empty() ? "" : "\n") + row;
  }
  return result;
}

}  // namespace vdk::control::testing

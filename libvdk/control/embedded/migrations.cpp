// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/migrations.hpp"

#include <array>
#include <string>

#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

// Times are microseconds since 1970. Lists of addresses are joined by ';', the four lists of contacts by a line feed.
constexpr std::string_view k_first = R"(
CREATE TABLE data_job (
  name TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  description TEXT NOT NULL,
  schedule TEXT NOT NULL,
  db_default_type TEXT NOT NULL,
  contacts TEXT NOT NULL,
  generate_keytab INTEGER NOT NULL,
  enable_execution_notifications INTEGER NOT NULL,
  notification_delay_period_minutes INTEGER NOT NULL);
CREATE TABLE data_job_source (
  job_name TEXT PRIMARY KEY REFERENCES data_job(name) ON DELETE CASCADE,
  tree_oid TEXT NOT NULL,
  commit_sha TEXT NOT NULL);
CREATE TABLE desired_data_job_deployment (
  data_job_name TEXT PRIMARY KEY REFERENCES data_job(name) ON DELETE CASCADE,
  git_commit_sha TEXT NOT NULL,
  python_version TEXT NOT NULL,
  vdk_version TEXT NOT NULL,
  schedule TEXT NOT NULL,
  resources_cpu_request_cores DOUBLE PRECISION,
  resources_cpu_limit_cores DOUBLE PRECISION,
  resources_memory_request_mi INTEGER,
  resources_memory_limit_mi INTEGER,
  last_deployed_by TEXT NOT NULL,
  last_deployed_date BIGINT,
  enabled INTEGER NOT NULL,
  contacts TEXT NOT NULL,
  deployment_version_sha TEXT NOT NULL,
  status INTEGER NOT NULL,
  status_message TEXT NOT NULL,
  is_user_initiated INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  retry_at BIGINT);
CREATE TABLE actual_data_job_deployment (
  data_job_name TEXT PRIMARY KEY,
  git_commit_sha TEXT NOT NULL,
  python_version TEXT NOT NULL,
  vdk_version TEXT NOT NULL,
  schedule TEXT NOT NULL,
  resources_cpu_request_cores DOUBLE PRECISION,
  resources_cpu_limit_cores DOUBLE PRECISION,
  resources_memory_request_mi INTEGER,
  resources_memory_limit_mi INTEGER,
  last_deployed_by TEXT NOT NULL,
  last_deployed_date BIGINT,
  enabled INTEGER NOT NULL,
  contacts TEXT NOT NULL,
  deployment_version_sha TEXT NOT NULL,
  interpreter TEXT NOT NULL,
  environment TEXT NOT NULL,
  resolved_requirements TEXT NOT NULL);
CREATE TABLE data_job_execution (
  id TEXT PRIMARY KEY,
  job_name TEXT NOT NULL REFERENCES data_job(name) ON DELETE CASCADE,
  type INTEGER NOT NULL,
  status INTEGER NOT NULL,
  message TEXT NOT NULL,
  op_id TEXT NOT NULL,
  submitted_time BIGINT NOT NULL,
  start_time BIGINT,
  end_time BIGINT,
  scheduled_time BIGINT,
  started_by TEXT NOT NULL,
  arguments_json TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL,
  job_version TEXT NOT NULL,
  job_python_version TEXT NOT NULL,
  vdk_version TEXT NOT NULL,
  job_schedule TEXT NOT NULL,
  resources_cpu_request DOUBLE PRECISION,
  resources_cpu_limit DOUBLE PRECISION,
  resources_memory_request INTEGER,
  resources_memory_limit INTEGER,
  last_deployed_by TEXT NOT NULL,
  last_deployed_date BIGINT,
  enabled INTEGER NOT NULL,
  contacts TEXT NOT NULL,
  deployment_version_sha TEXT NOT NULL,
  UNIQUE (job_name, scheduled_time));
CREATE UNIQUE INDEX data_job_execution_unfinished ON data_job_execution (job_name) WHERE status IN (0, 1);
CREATE INDEX data_job_execution_newest ON data_job_execution (job_name, submitted_time DESC);
CREATE TABLE data_job_execution_due (
  job_name TEXT PRIMARY KEY REFERENCES data_job(name) ON DELETE CASCADE,
  scheduled_time BIGINT NOT NULL);
CREATE TABLE job_properties (
  job_name TEXT PRIMARY KEY REFERENCES data_job(name) ON DELETE CASCADE,
  properties_json TEXT NOT NULL);
CREATE TABLE job_secrets (
  job_name TEXT PRIMARY KEY REFERENCES data_job(name) ON DELETE CASCADE,
  ciphertext TEXT NOT NULL);
CREATE TABLE service_state (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL);
)";

// For several servers on one database, and mails that survive them.
constexpr std::string_view k_second = R"(
ALTER TABLE desired_data_job_deployment ADD COLUMN send_notification INTEGER NOT NULL DEFAULT 1;
CREATE TABLE service_lock (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  fencing BIGINT NOT NULL,
  lease_until BIGINT NOT NULL);
CREATE TABLE mail (
  key TEXT PRIMARY KEY,
  recipients TEXT NOT NULL,
  subject TEXT NOT NULL,
  html TEXT NOT NULL,
  noted_time BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  next_try BIGINT);
CREATE INDEX mail_waiting ON mail (next_try) WHERE next_try IS NOT NULL;
CREATE INDEX data_job_team ON data_job (team);
CREATE INDEX data_job_execution_ended ON data_job_execution (end_time);
)";

// Who is logged in to the operations page.
constexpr std::string_view k_third = R"(
CREATE TABLE page_session (
  id TEXT PRIMARY KEY,
  sealed TEXT NOT NULL,
  end_time BIGINT NOT NULL,
  renewed_until BIGINT NOT NULL);
CREATE INDEX page_session_end ON page_session (end_time);
)";

constexpr std::array<std::string_view, 3> k_migrations{k_first, k_second, k_third};

long long stored_version(StoreSession& session) {
  Query query(session, "SELECT MAX(version) FROM schema_version");
  query.columns("i");
  return query.next() ? query.integer() : 0;
}

}  // namespace

std::span<const std::string_view> migrations() noexcept { return k_migrations; }

long long known_schema_version() noexcept { return static_cast<long long>(k_migrations.size()); }

long long schema_version(StoreSession& session) {
  Query table(session, session.postgresql ? "SELECT CAST(to_regclass('schema_version') AS TEXT)"
                                          : "SELECT MAX(name) FROM sqlite_master WHERE name = 'schema_version'");
  table.columns("s");
  if (!table.next() || table.text().empty()) {
    return 0;
  }
  return stored_version(session);
}

void migrate(StoreSession& session) {
  if (session.postgresql) {
    Query lock(session, "SELECT CAST(pg_advisory_xact_lock(7236837) AS TEXT)");
    lock.columns("s");
    (void)lock.next();
  }
  const long long known = known_schema_version();
  // First of all: while this process waited for the lock PostgreSQL may still have remembered that there is no table.
  Query(session, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)").run();
  const long long present = stored_version(session);  // another process may have been faster
  if (present > known) {
    throw Error(ErrorKind::platform, {"cannot use the control service's database",
                                      "its schema has version " + std::to_string(present) +
                                          ", this vdk knows versions up to " + std::to_string(known),
                                      "Nothing was read or changed.", "Use the newer vdk that wrote it."});
  }
  for (long long step = present; step < known; ++step) {
    std::string statement;
    for (const std::string& line : text::lines(k_migrations[static_cast<std::size_t>(step)])) {
      statement += line + "\n";
      if (line.ends_with(';')) {
        statement.resize(statement.size() - 2);
        // Texts sort byte by byte, as SQLite has it.
        Query(session, session.postgresql ? text::replace_all(statement, " TEXT", " TEXT COLLATE \"C\"") : statement)
            .run();
        statement.clear();
      }
    }
    Query(session, "INSERT INTO schema_version (version) VALUES (:version)").in(step + 1).run();
  }
}

}  // namespace vdk::control

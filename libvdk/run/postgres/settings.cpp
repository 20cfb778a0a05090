// SPDX-License-Identifier: Apache-2.0
#include "run/postgres/settings.hpp"

#include <algorithm>

#include "run/session.hpp"
#include "vdk/core/process.hpp"

namespace vdk::run {

postgres::Parameters postgres_settings(const Session& session, const std::string& section) {
  postgres::Parameters found;
  const std::string dsn = session.setting("postgres_dsn", section);
  if (!dsn.empty()) {
    found.emplace_back("dbname", dsn);
  }
  for (const char* key : {"dbname", "user", "password", "host", "port"}) {
    const std::string value = session.setting(std::string("postgres_") + key, section);
    if (!value.empty()) {
      found.emplace_back(key, value);
    }
  }
  return found;
}

bool names_postgres(const Session& session, const std::string& section) {
  const postgres::Parameters found = postgres_settings(session, section);
  return std::any_of(found.begin(), found.end(),
                     [](const auto& one) { return one.first == "dbname" || one.first == "host"; });
}

bool environment_names_postgres() {
  return process::environment("PGHOST") || process::environment("PGDATABASE") || process::environment("PGSERVICE") ||
         process::environment("PGUSER");
}

postgres::Parameters postgres_parameters(const postgres::Parameters& settings) {
  postgres::Parameters all{{"connect_timeout", "10"}, {"fallback_application_name", "vdk"}};
  all.insert(all.end(), settings.begin(), settings.end());
  all.emplace_back("client_encoding", "UTF8");
  return all;
}

}  // namespace vdk::run

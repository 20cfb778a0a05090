// SPDX-License-Identifier: Apache-2.0
#include "run/sql/databases.hpp"

#include <algorithm>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

std::string Database::answer(const nlohmann::ordered_json& /*request*/, int /*socket*/) {
  throw Error(ErrorKind::internal, {"cannot answer a request of the step", "the database is a file", "", ""});
}

Databases::Databases(std::map<std::string, std::filesystem::path> files, std::string default_name)
    : m_files(std::move(files)), m_default_name(std::move(default_name)) {}

void Databases::add(const std::string& name, std::unique_ptr<Database> database) {
  if (!m_files.contains(name)) {
    m_servers[name] = std::move(database);
  }
}

bool Databases::has(const std::string& name) const { return m_files.contains(name) || m_servers.contains(name); }

std::vector<std::string> Databases::names() const {
  std::vector<std::string> names;
  for (const auto& entry : m_files) {
    names.push_back(entry.first);
  }
  for (const auto& entry : m_servers) {
    names.push_back(entry.first);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Database& Databases::find(std::string_view name) {
  const std::string wanted = text::lower(name.empty() ? std::string_view(m_default_name) : name);
  if (const auto server = m_servers.find(wanted); server != m_servers.end()) {
    return *server->second;
  }
  if (const auto file = m_files.find(wanted); file != m_files.end()) {
    return sqlite(file->second);
  }
  const std::string section = wanted == "postgres"
                                  ? "set postgres_host, postgres_dbname and postgres_user in [vdk]"
                                  : "add a section [vdk_" + wanted + "] with sqlite_file or postgres_ settings";
  throw Error(
      ErrorKind::configuration,
      {"cannot connect to database '" + wanted + "'",
       "there is no database type or section of that name; known: " + text::quoted_list(names()),
       "the step cannot run and the job stops here", "Correct db_default_type, or " + section + " of config.ini"});
}

SqliteDatabase& Databases::sqlite(const std::filesystem::path& path) {
  auto& slot = m_open_files[path];
  if (!slot) {
    slot = std::make_unique<SqliteDatabase>(path);
  }
  return *slot;
}

std::string Databases::open_state() {
  std::string state = m_state;
  for (const auto& entry : m_open_files) {
    state = state.empty() ? entry.second->open_state() : state;
  }
  for (const auto& entry : m_servers) {
    state = state.empty() ? entry.second->open_state() : state;
  }
  return state;
}

std::set<std::string> Databases::take_attached() {
  std::set<std::string> names;
  for (const auto& [path, database] : m_open_files) {
    names.merge(database->take_attached());
  }
  return names;
}

std::vector<std::string> Databases::close(bool stamped) {
  std::vector<std::string> open;
  for (const auto& [path, database] : m_open_files) {
    if (database->close(stamped)) {
      open.push_back(path.string());
    }
  }
  for (const auto& [name, database] : m_servers) {
    if (database->close(stamped)) {
      open.push_back(name);
    }
    if (stamped && database->is_used()) {
      m_stamps[name] = database->stamp();
    }
  }
  return open;
}

}  // namespace vdk::run

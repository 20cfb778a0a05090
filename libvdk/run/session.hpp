// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/report/log_lines.hpp"
#include "run/report/output_relay.hpp"
#include "run/sql/databases.hpp"
#include "run/sql/script.hpp"
#include "run/stores.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// What all steps of one run share: resolved settings, ids, stores, databases.
class Session {
 public:
  Session(const RunRequest& request, const Clock& clock, const LogLines& lines);

  /// Setting with the job's secrets laid over everything but the environment and flags (contract 1.2).
  [[nodiscard]] std::string setting(const std::string& name, const std::string& section = {}) const;
  [[nodiscard]] bool flag(const std::string& name, bool otherwise) const;
  /// Values for {name}: properties, then execution properties, then arguments.
  [[nodiscard]] Values values(const nlohmann::ordered_json& arguments) const;
  [[nodiscard]] KeyValueStore& store(const std::string& name) const;
  /// A Python plugin keeps properties or secrets from here on.
  void replace_store(const std::string& name, KeyValueStore& store) { m_stores[name] = &store; }
  /// All secrets as they were when the run began; an object, empty without a service.
  [[nodiscard]] const nlohmann::ordered_json& secrets_read() const noexcept { return m_secrets_read; }
  /// db_default_type as settings and config.ini have it, lower case; empty when nobody asks for a database.
  [[nodiscard]] std::string default_database_asked() const;
  [[nodiscard]] nlohmann::ordered_json read_store(const std::string& name) const;
  /// Whoever watches the run learns what in `secrets` must not be shown.
  void hide(const nlohmann::ordered_json& secrets) const;
  /// The team that the settings or config.ini name; may be empty.
  [[nodiscard]] std::string team() const;
  /// Settings that come from the job's secrets.
  [[nodiscard]] const std::map<std::string, std::string>& secret_settings() const noexcept { return m_secret_settings; }
  /// The request's ids have changed: a run is resumed.
  void take_ids();
  /// The two comment lines that every query starts with.
  [[nodiscard]] std::string query_prefix() const;
  /// First message to the Python host; `plugins`: it shall look for Python plugins.
  [[nodiscard]] std::string host_settings(bool plugins) const;

  const RunRequest& request;
  const Clock& clock;
  const LogLines& lines;
  std::filesystem::path temporary_directory;
  std::map<std::string, std::string> execution_properties;
  nlohmann::ordered_json arguments;
  std::unique_ptr<Databases> databases;
  std::string step;              ///< of the job, the one that runs; empty outside of steps
  OutputRelay* relay = nullptr;  ///< through which steps print
  bool watched = false;          ///< the host tells what steps depend on and saves what they leave behind

 private:
  /// log_level_module as logger -> level.
  [[nodiscard]] nlohmann::ordered_json logger_levels() const;
  void read_secret_settings();
  void read_secret_of_section(const std::string& key, const nlohmann::ordered_json& value);
  void find_databases();
  [[nodiscard]] std::string default_database(const std::map<std::string, std::filesystem::path>& files,
                                             const std::vector<std::string>& servers) const;
  void choose_stores();
  std::map<std::string, std::string> m_secret_settings;
  std::map<std::string, KeyValueStore*> m_stores;            ///< in use
  std::vector<std::unique_ptr<KeyValueStore>> m_own_stores;  ///< those of them that no service keeps
  nlohmann::ordered_json m_logger_levels;
  nlohmann::ordered_json m_secrets_read = nlohmann::ordered_json::object();
};

}  // namespace vdk::run

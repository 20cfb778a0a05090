// SPDX-License-Identifier: Apache-2.0
#include "run/session.hpp"

#include <set>

#include "run/ingest/ingest.hpp"
#include "run/postgres/postgres_database.hpp"
#include "run/postgres/settings.hpp"
#include "run/python/text.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/observer.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json parse_arguments(const std::string& text) {
  if (text.empty()) {
    return Json::object();
  }
  if (auto parsed = parse_exact(text)) {
    return std::move(*parsed);
  }
  const bool deep = Json::accept(text);
  throw Error(ErrorKind::user_code, {"cannot read the arguments of the job",
                                     deep ? "they are nested too deeply" : "they are no valid JSON: " + text,
                                     "no step was run", "Give one JSON object, for example {\"day\": \"2024-01-31\"}"});
}

std::map<std::string, std::string> make_execution_properties(const Ids& ids, TimePoint start) {
  const long long micros = to_unix_micros(start);
  const std::string seconds = std::to_string(micros / 1'000'000);
  std::string fraction = std::to_string(micros % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return {{"pa__execution_id", ids.execution_id},
          {"pa__job_start_unixtime", seconds},
          {"pa__job_start_ts_expr", "cast (" + seconds + "." + fraction + " as timestamp)"},
          {"pa__op_id", ids.op_id}};
}

bool is_stronger_than_secrets(config::Origin origin) {
  return origin == config::Origin::environment || origin == config::Origin::flag;
}

}  // namespace

Session::Session(const RunRequest& asked, const Clock& the_clock, const LogLines& the_lines)
    : request(asked),
      clock(the_clock),
      lines(the_lines),
      execution_properties(make_execution_properties(asked.ids, the_clock.now())) {
  arguments = parse_arguments(asked.arguments_json);
  read_secret_settings();
  m_logger_levels = logger_levels();
  const std::string configured = setting("temporary_write_directory");
  temporary_directory = configured.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(configured);
  std::error_code ignored;
  std::filesystem::create_directories(temporary_directory, ignored);
  choose_stores();
  find_databases();
}

void Session::take_ids() { execution_properties = make_execution_properties(request.ids, clock.now()); }

void Session::read_secret_settings() {
  if (request.secrets == nullptr) {
    return;
  }
  Json secrets;
  try {
    const std::string all = request.secrets->read_all();
    secrets = read_exact(all);
    m_secrets_read = Json::parse(all);
  } catch (const std::exception&) {
    // Most jobs have no secret settings; a step that reads secrets itself gets the failure.
    lines.warning("the job's secrets could not be read: settings among them are not applied");
    return;
  }
  if (!secrets.is_object()) {
    m_secrets_read = Json::object();
    return;
  }
  hide(secrets);
  const auto declared = request.settings.values();
  for (const auto& item : secrets.items()) {
    const std::string key = text::lower(item.key());
    const bool known = config::find_setting(key) != nullptr || declared.contains(key);
    if (known && !item.value().is_null() && !is_stronger_than_secrets(request.settings.explain(key).origin)) {
      m_secret_settings[key] = python_str(item.value());
    }
    read_secret_of_section(key, item.value());
  }
}

/// NAME_KEY is the KEY of the section [vdk_NAME].
void Session::read_secret_of_section(const std::string& key, const Json& value) {
  for (const std::string& section : request.settings.sections()) {
    const std::string start = section + "_";
    const std::string name = key.starts_with(start) ? key.substr(start.size()) : "";
    if (config::find_setting(name) != nullptr && !value.is_null() &&
        !is_stronger_than_secrets(request.settings.explain(name, section).origin)) {
      m_secret_settings[section + "." + name] = python_str(value);
    }
  }
}

void Session::hide(const Json& secrets) const {
  if (request.observer == nullptr) {
    return;
  }
  if (secrets.is_structured()) {
    for (const Json& value : secrets) {
      hide(value);
    }
  } else if (secrets.is_string()) {
    request.observer->secret(secrets.get_ref<const std::string&>());
  } else if (secrets.is_number()) {
    request.observer->secret(secrets.dump());
  }
}

void Session::find_databases() {
  std::map<std::string, std::filesystem::path> files;
  const std::string main_file = setting("sqlite_file");
  files["sqlite"] = main_file.empty() ? temporary_directory / "vdk-sqlite.db" : std::filesystem::path(main_file);
  for (const std::string& section : request.settings.sections()) {
    const std::string file = setting("sqlite_file", section);
    if (!file.empty() && file != main_file) {
      files[section] = file;
    }
  }
  files.try_emplace("vdk", files["sqlite"]);
  const std::string chosen = default_database_asked();
  std::vector<std::string> servers;
  if (names_postgres(*this, "") || environment_names_postgres()) {
    servers.emplace_back("postgres");
  }
  for (const std::string& section : request.settings.sections()) {
    if (!files.contains(section) && names_postgres(*this, section)) {
      servers.push_back(section);
    }
  }
  databases = std::make_unique<Databases>(files, chosen.empty() ? default_database(files, servers) : chosen);
  for (const std::string& name : servers) {
    const auto settings = postgres_parameters(postgres_settings(*this, name == "postgres" ? "" : name));
    databases->add(name, std::make_unique<PostgresDatabase>(name, settings, lines));
  }
}

/// SQLite, unless a server is all that the settings name.
std::string Session::default_database(const std::map<std::string, std::filesystem::path>& files,
                                      const std::vector<std::string>& servers) const {
  const bool names_a_file = files.size() > 2 || !setting("sqlite_file").empty();  // sqlite and vdk are always there
  if (names_a_file || servers.empty() || (servers.front() == "postgres" && !names_postgres(*this, ""))) {
    return "sqlite";
  }
  return servers.front() == "postgres" || servers.size() == 1 ? servers.front() : "sqlite";
}

std::string Session::default_database_asked() const {
  const std::string chosen = text::lower(setting("db_default_type"));
  return chosen.empty() ? text::lower(request.job.config.db_default_type) : chosen;
}

std::string Session::setting(const std::string& name, const std::string& section) const {
  const auto secret = m_secret_settings.find(section.empty() ? name : section + "." + name);
  return secret != m_secret_settings.end() ? secret->second : request.settings.get(name, section);
}

bool Session::flag(const std::string& name, bool otherwise) const {
  const std::string value = setting(name);
  return value.empty() ? otherwise : text::parse_bool(value).value_or(otherwise);
}

// Contract 2.3; a kind that a Python plugin registers replaces the choice later.
void Session::choose_stores() {
  for (const std::string name : {"properties", "secrets"}) {
    const std::string kind = text::lower(setting(name + "_default_type"));
    KeyValueStore* service = name == "properties" ? request.properties : request.secrets;
    std::unique_ptr<KeyValueStore> own;
    if (kind.empty() || kind == "default" || kind == "memory") {
      m_stores[name] = kind == "memory" ? nullptr : service;
      own = m_stores[name] == nullptr ? std::make_unique<MemoryStore>(name, lines) : nullptr;
    } else if (kind == "fs-properties-client" && name == "properties") {
      const std::string folder = setting("fs_properties_directory");
      const fs::path directory = folder.empty() ? fs::temp_directory_path() : fs::absolute(folder);
      own = std::make_unique<FileStore>(directory / setting("fs_properties_filename"),
                                        team() + "_" + request.job.name + "__");
    } else {
      own = std::make_unique<UnknownStore>(name, kind);
    }
    if (own != nullptr) {
      m_stores[name] = own.get();
      m_own_stores.push_back(std::move(own));
    }
  }
}

KeyValueStore& Session::store(const std::string& name) const { return *m_stores.at(name); }

std::string Session::team() const {
  const std::string given = request.settings.get("team");
  return given.empty() ? request.job.config.team : given;
}

Json Session::read_store(const std::string& name) const { return read_exact(store(name).read_all()); }

Values Session::values(const Json& step_arguments) const {
  Values result;
  try {
    const Json properties = read_store("properties");
    for (const auto& item : properties.items()) {
      result[item.key()] = python_str(item.value());
    }
  } catch (const std::exception& error) {
    lines.warning("the job's properties could not be read, so none is put into the query: " +
                  std::string(error.what()));
  }
  for (const auto& [name, value] : execution_properties) {
    result[name] = value;
  }
  if (step_arguments.is_object()) {
    for (const auto& item : step_arguments.items()) {
      result[item.key()] = python_str(item.value());
    }
  }
  return result;
}

std::string Session::query_prefix() const {
  return "-- job_name: " + text::replace_all(request.job.name, "\n", " ") +
         "\n-- op_id: " + text::replace_all(request.ids.op_id, "\n", " ") + "\n";
}

Json Session::logger_levels() const {
  const std::set<std::string> known{"NOTSET", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL"};
  Json levels = Json::object();
  for (const std::string& part : text::split(setting("log_level_module"), ';')) {
    const std::size_t equals = part.find('=');
    const std::string name(text::trim(part.substr(0, equals)));
    const std::string level =
        equals == std::string::npos ? std::string() : text::upper(text::trim(part.substr(equals + 1)));
    if (!name.empty() && known.contains(level)) {
      levels[name] = level;
    } else if (!text::trim(part).empty()) {
      throw Error(ErrorKind::configuration, {"cannot use '" + part + "' of log_level_module",
                                             "it is no name=LEVEL with a level of Python's logging", "no step is run",
                                             "Write for example urllib3=WARNING;my_module=DEBUG"});
    }
  }
  return levels;
}

std::string Session::host_settings(bool plugins) const {
  Json files = Json::object();
  for (const auto& [name, file] : databases->files()) {
    files[name] = std::filesystem::absolute(file).string();
  }
  Json servers = Json::array();
  for (const auto& entry : databases->servers()) {
    servers.push_back(entry.first);
  }
  const Json message{
      {"name", request.job.name},
      {"arguments", request.arguments_json},
      {"execution_properties", execution_properties},
      {"temporary_directory", temporary_directory.string()},
      {"databases", files},
      {"servers", servers},
      {"default_database", databases->default_name()},
      {"query_prefix", query_prefix()},
      {"ingest_method", default_ingestion_method(*this)},
      {"ingest_methods", ingestion_methods(*this)},
      {"ingest_threshold", text::parse_int(setting("ingester_payload_size_bytes_threshold")).value_or(0)},
      {"ingest_wait", flag("ingester_wait_to_finish_after_every_send", false)},
      {"write_preprocess",
       {{"properties", setting("properties_write_preprocess_sequence")},
        {"secrets", setting("secrets_write_preprocess_sequence")}}},
      {"plugins", plugins},
      {"watch", watched},
      {"directory", request.job.directory.string()},
      {"collected_logs", request.collected_logs},
      {"attempt_id", request.ids.attempt_id},
      {"log_format", request.log_format == LogFormat::json ? "json" : "text"},
      {"execution_id", request.ids.execution_id},
      {"op_id", request.ids.op_id},
      {"log_mark", relay != nullptr ? relay->log_mark() : std::string()},
      {"log_levels", m_logger_levels},
      {"log_level", level_name(log::level())}};
  return message.dump();
}

}  // namespace vdk::run

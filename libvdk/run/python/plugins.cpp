// SPDX-License-Identifier: Apache-2.0
#include "run/python/plugins.hpp"

#include <algorithm>
#include <array>

#include "run/step_failure.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// What these bring is a part of vdk; the host leaves them out too (plugins_found.py).
constexpr std::array<std::string_view, 7> built_in = {
    "vdk_sqlite-",      "vdk_notebook-", "vdk_ipython-", "vdk_plugin_control_cli-",
    "vdk_ingest_file-", "vdk_server-",   "vdk_core-"};

bool has_plugin(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".dist-info") && !name.ends_with(".egg-info")) {
      continue;
    }
    const std::string normal = text::lower(text::replace_all(name, "-", "_"));
    const bool known = std::any_of(built_in.begin(), built_in.end(), [&](std::string_view prefix) {
      return normal.starts_with(text::replace_all(std::string(prefix), "-", "_"));
    });
    const fs::path file = entry.path() / "entry_points.txt";
    if (known || !fs::exists(file, ignored)) {
      continue;
    }
    try {
      if (files::read(file).find("[vdk.plugin.run]") != std::string::npos) {
        return true;
      }
    } catch (const Error&) {
      continue;  // Python cannot read it either
    }
  }
  return false;
}

/// lib/pythonX.Y/site-packages and the like below a prefix.
bool has_plugin_below(const fs::path& prefix) {
  std::error_code ignored;
  for (const char* library : {"lib", "lib64", "local/lib"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(prefix / library, ignored)) {
      const std::string name = entry.path().filename().string();
      if ((name.starts_with("python") || name.starts_with("pypy")) &&
          (has_plugin(entry.path() / "site-packages") || has_plugin(entry.path() / "dist-packages"))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool python_plugins_installed(const fs::path& interpreter) {
  std::error_code ignored;
  for (const std::string& folder : text::split(process::environment("PYTHONPATH").value_or(""), ':')) {
    if (!folder.empty() && has_plugin(folder)) {
      return true;
    }
  }
  const fs::path prefix = fs::absolute(interpreter, ignored).parent_path().parent_path();
  if (fs::exists(prefix / "pyvenv.cfg", ignored)) {
    return has_plugin_below(prefix);
  }
  const fs::path real = fs::canonical(interpreter, ignored).parent_path().parent_path();
  const fs::path home = process::environment("HOME").value_or("");
  return has_plugin_below(real.empty() ? prefix : real) || (!home.empty() && has_plugin_below(home / ".local"));
}

Json plugin_settings(const config::Settings& settings, const std::function<std::string(const std::string&)>& value) {
  Json declared = Json::object();
  Json types = Json::object();
  for (const config::Setting& setting : config::all_settings()) {
    if (setting.name.starts_with("postgres_")) {
      continue;  // vdk-postgres defines the keys itself, and its defaults would win over values given here
    }
    if (text::lower(setting.name).starts_with("fs_properties_")) {
      continue;  // vdk-properties-fs defines them itself
    }
    declared[setting.name] = value(setting.name);
    if (setting.type == config::SettingType::boolean || setting.type == config::SettingType::integer) {
      types[setting.name] = setting.type == config::SettingType::boolean ? "boolean" : "integer";
    }
  }
  Json sections{{"vdk", settings.values()}};
  for (const std::string& section : settings.sections()) {
    sections[section] = settings.values(section);
  }
  return {{"version", VDK_VERSION},
          {"executable", files::executable().string()},
          {"declared", declared},
          {"types", types},
          {"settings", sections}};
}

Json plugin_configuration(const Session& session) {
  const RunRequest& request = session.request;
  Json given = plugin_settings(request.settings, [&](const std::string& name) { return session.setting(name); });
  given["declared"]["db_default_type"] = session.default_database_asked();
  Json services = Json::array();
  if (request.properties != nullptr) {
    services.push_back("properties");
  }
  if (request.secrets != nullptr) {
    services.push_back("secrets");
  }
  given["job"] = request.job.name;
  given["directory"] = request.job.directory.string();
  given["team"] = session.team();
  given["op_id"] = request.ids.op_id;
  given["execution_id"] = request.ids.execution_id;
  given["attempt_id"] = request.ids.attempt_id;
  given["arguments"] = request.arguments_json;
  given["temporary_directory"] = fs::absolute(session.temporary_directory).string();
  given["secrets"] = session.secrets_read();
  given["service_stores"] = services;
  return given;
}

void throw_if_failed(const Json& done, const std::string& what) {
  if (done.is_null()) {
    throw Error(ErrorKind::platform,
                {what, "the Python process ended", "the job stops here", "Look at what it printed last"});
  }
  if (done.at("done") != "error") {
    return;
  }
  const std::string blamee = done.value("blamee", "platform");
  ErrorKind kind = blamee == "user" ? ErrorKind::user_code : ErrorKind::platform;
  kind = blamee == "configuration" ? ErrorKind::configuration : kind;
  throw Error(kind, {what, done.value("exception_name", "") + ": " + done.value("exception", ""), "the job stops here",
                     "Correct the plugin's settings, uninstall the plugin, or set VDK_PYTHON_PLUGINS=false"});
}

std::string HostStore::read_all() {
  const Json done = m_ask({{"cmd", "store"}, {"store", m_name}, {"op", "read"}});
  throw_if_failed(done, "cannot read the job's " + m_name + " from the Python plugin that keeps them");
  return done.at("value").dump();
}

void HostStore::write_all(const std::string& json_object) {
  const Json done = m_ask({{"cmd", "store"}, {"store", m_name}, {"op", "write"}, {"value", Json::parse(json_object)}});
  throw_if_failed(done, "cannot write the job's " + m_name + " to the Python plugin that keeps them");
}

}  // namespace vdk::run

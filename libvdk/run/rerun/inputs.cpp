// SPDX-License-Identifier: Apache-2.0
#include "run/rerun/inputs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;

/// In front of the name of a database that is no file.
const std::string server_mark = "server ";
constexpr std::uintmax_t hashed_bytes = 64U << 20U;

std::string identity_of(const fs::path& path, bool with_time) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return "missing";
  }
  std::string identity = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  if (with_time) {
    identity += ":" + std::to_string(info.st_size) + ":" + std::to_string(info.st_mtim.tv_sec) + "." +
                std::to_string(info.st_mtim.tv_nsec);
  }
  return identity;
}

bool starts_with_any(const std::string& name, const std::vector<std::string>& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](const std::string& start) { return name.starts_with(start); });
}

/// Settings that say who runs, how it is told, and where the service is; they change nothing of what steps do.
bool matters(const std::string& name) {
  static const std::set<std::string> not_these{"attempt_id",
                                               "execution_id",
                                               "op_id",
                                               "python",
                                               "state_dir",
                                               "job_run_summary_file_path",
                                               "team",
                                               "api_token",
                                               "job_githash",
                                               "share_dir",
                                               "verbosity",
                                               "supported_python_versions",
                                               "run_state_enabled",
                                               "working_dir",
                                               "run_snapshot_limit_mb",
                                               "run_progress",
                                               "run_mark",
                                               "logging_format",
                                               "default_python_version"};
  if (not_these.contains(name)) {
    return false;
  }
  return !starts_with_any(name, {"log_", "termination_", "notification_", "control_", "syslog_", "local_", "api_token_",
                                 "version_", "package_", "monitoring_"});
}

/// What C libraries and the interpreter read of themselves, where no step is seen to ask: time zone, language, Python's
/// own; `postgres`: libpq's, but for what says how to get in.
bool is_read_below(const std::string& name, bool postgres) {
  static const std::set<std::string> others{
      "TZ", "LANG", "LANGUAGE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ENDPOINT_URL_S3", "TZDIR", "AWS_DEFAULT_REGION"};
  static const std::set<std::string> harmless{"PGPASSWORD",        "PGPASSFILE",       "PGAPPNAME",
                                              "PGCONNECT_TIMEOUT", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"};
  return others.contains(name) || (!harmless.contains(name) &&
                                   (starts_with_any(name, {"LC_", "PYTHON"}) || (postgres && name.starts_with("PG"))));
}

/// What differs from terminal to terminal: it counts for a step that reads it by name only.
bool is_of_a_session(const std::string& name) {
  static const std::set<std::string> names{"_",
                                           "SHLVL",
                                           "PWD",
                                           "OLDPWD",
                                           "WINDOWID",
                                           "COLUMNS",
                                           "LINES",
                                           "TERM",
                                           "COLORTERM",
                                           "DBUS_SESSION_BUS_ADDRESS",
                                           "GPG_TTY",
                                           "STY",
                                           "WINDOW",
                                           "LS_COLORS",
                                           "INVOCATION_ID",
                                           "DISPLAY",
                                           "LSCOLORS",
                                           "JOURNAL_STREAM",
                                           "NO_COLOR",
                                           "XAUTHORITY",
                                           "VTE_VERSION",
                                           "JOB_RUN_SUMMARY_FILE_PATH"};
  return names.contains(name) || starts_with_any(name, {"VDK_", "TERM_", "SSH_", "XDG_SESSION_", "TMUX", "JPY_"});
}

bool is_importable(const std::string& name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 128;
         });
}

}  // namespace

RerunInputs::RerunInputs(const Session& session, const RerunStore& store) : m_session(session), m_store(store) {
  read_environment();
  read_module_names();
}

void RerunInputs::read_environment() {
  const RunRequest& request = m_session.request;
  m_environment["vdk itself"] = VDK_VERSION;
  std::vector<std::string> sections = request.settings.sections();
  sections.emplace_back();
  for (const std::string& section : sections) {
    for (const auto& [name, ignored] : request.settings.values(section)) {
      if (matters(name)) {
        const std::string place = section.empty() ? name : section + "." + name;
        m_environment["the setting " + place] = m_store.hash(m_session.setting(name, section));
      }
    }
  }
  for (const auto& [name, value] : m_session.secret_settings()) {
    m_environment["the secret setting " + name] = m_store.hash(value);
  }
  for (const auto& [name, file] : m_session.databases->files()) {
    m_environment["the place of the database " + name] = fs::absolute(file).lexically_normal().string();
  }
  read_variables();
  m_environment["the default database"] = m_session.databases->default_name();
  m_environment["requirements.txt"] = file_stamp(request.job.directory / "requirements.txt");
  if (!request.interpreter.empty()) {
    std::error_code ignored;
    const fs::path& interpreter = request.interpreter;
    m_environment["the Python interpreter"] = interpreter.string() + ":" +
                                              identity_of(fs::canonical(interpreter, ignored), true) + ":" +
                                              file_stamp(interpreter.parent_path().parent_path() / "pyvenv.cfg");
  }
}

void RerunInputs::read_variables() {
  const bool postgres = !m_session.databases->servers().empty();
  for (const std::string& name : process::environment_names()) {
    if (is_read_below(name, postgres)) {
      m_environment["the environment variable " + name] = variable(name);
    }
  }
}

std::vector<std::string> RerunInputs::variables_that_matter() {
  std::vector<std::string> names = process::environment_names();
  std::erase_if(names, is_of_a_session);
  std::sort(names.begin(), names.end());
  return names;
}

std::string RerunInputs::variable(const std::string& name) const {
  if (name == "*") {
    return m_store.hash(text::join(variables_that_matter(), "\n"));
  }
  const auto value = process::environment(name);
  return value ? m_store.hash(*value) : "none";
}

void RerunInputs::add_packages(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    m_environment["the packages in " + folder] = identity_of(folder, true);
  }
}

std::string RerunInputs::environment_key() const { return m_store.hash(nlohmann::json(m_environment).dump()); }

std::string RerunInputs::environment_change(const Texts& old) const {
  for (const auto& [what, value] : old) {
    constexpr std::string_view packages = "the packages in ";
    if (what.starts_with(packages)) {
      if (identity_of(what.substr(packages.size()), true) != value) {
        return what + " have changed";
      }
      continue;
    }
    const auto now = m_environment.find(what);
    if (now == m_environment.end() || now->second != value) {
      return what + " has changed";
    }
  }
  for (const auto& [what, value] : m_environment) {
    if (!what.starts_with("the packages in ") && !old.contains(what)) {
      return what + " is new";
    }
  }
  return {};
}

/// Which names an import would find in the job folder: a new file may hide another module.
void RerunInputs::read_module_names() {
  std::set<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator entry(m_session.request.job.directory, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    const bool folder = entry->is_directory(ignored);
    if (folder && (name.starts_with('.') || name == "__pycache__" || !is_importable(name))) {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = entry->path().extension().string();
    if (is_importable(name.substr(0, name.find('.'))) && (folder || extension == ".py" || extension == ".so")) {
      names.insert(entry->path().lexically_relative(m_session.request.job.directory).string());
    }
  }
  m_module_names = sha256_hex(nlohmann::json(names).dump()).substr(0, 32);
}

std::string RerunInputs::source(const job::Step& step) {
  return step.cell ? step.cell->source : files::read_if_exists(step.file).value_or("");
}

std::string RerunInputs::file_stamp(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return "missing";
  }
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > hashed_bytes) {
    return identity_of(path, true);
  }
  try {
    return sha256_hex(files::read(path)).substr(0, 32);
  } catch (const Error&) {
    return identity_of(path, true);
  }
}

std::string RerunInputs::presence(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    return "there";
  }
  return fs::is_symlink(fs::symlink_status(path, ignored)) ? "a link to nothing" : "missing";
}

std::string RerunInputs::measure(const fs::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return presence(path);
  }
  return std::to_string(info.st_size) + ":" + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

std::string RerunInputs::link_target(const fs::path& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  return error ? "" : target.string();
}

std::string RerunInputs::file_identity(const fs::path& path) { return identity_of(path, true); }

std::string RerunInputs::listing_stamp(const fs::path& path) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != "__pycache__") {
      names.insert(name);
    }
  }
  return error ? "missing"
               : sha256_hex(nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
                     .substr(0, 32);
}

std::string RerunInputs::database_stamp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string header(28, '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(header.size()))) {
    return identity_of(path, false) + ":empty";
  }
  std::error_code error;
  const auto log = fs::file_size(path.string() + "-wal", error);
  return identity_of(path, false) + ":" + sha256_hex(header.substr(24)).substr(0, 8) + ":" +
         std::to_string(error ? 0 : log);
}

Texts RerunInputs::databases() const {
  Texts stamps;
  for (const auto& [name, file] : m_session.databases->files()) {
    const fs::path path = fs::absolute(file).lexically_normal();
    stamps[path.string()] = database_stamp(path);
  }
  for (const auto& [name, stamp] : m_session.databases->stamps()) {
    stamps[server_mark + name] = stamp;
  }
  return stamps;
}

Texts RerunInputs::servers() const {
  Texts stamps;
  for (const auto& [name, database] : m_session.databases->servers()) {
    const std::string identity = database->identity();
    if (!identity.empty()) {
      stamps[server_mark + name] = identity + ":running:";
    }
  }
  return stamps;
}

std::string RerunInputs::database_now(const std::string& place) const {
  if (!place.starts_with(server_mark)) {
    return database_stamp(place);
  }
  const auto& servers = m_session.databases->servers();
  const auto found = servers.find(place.substr(server_mark.size()));
  return found == servers.end() ? "none::" : found->second->stamp();
}

const nlohmann::ordered_json& RerunInputs::values(const std::string& store) const {
  if (store == "arguments") {
    return m_session.arguments;
  }
  const auto found = m_values.find(store);
  return found != m_values.end() ? found->second : m_values[store] = m_session.read_store(store);
}

std::string RerunInputs::value(const std::string& store, const std::string& name) const {
  try {
    const nlohmann::ordered_json& all = values(store);
    if (name == "*") {
      return m_store.hash(nlohmann::json(all).dump());  // order does not count
    }
    return all.is_object() && all.contains(name) ? m_store.hash(nlohmann::json(all.at(name)).dump()) : "none";
  } catch (const std::exception&) {
    return "unknown";
  }
}

std::vector<std::string> identities(const std::vector<job::Step>& steps) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const job::Step& step : steps) {
    std::string identity = step.name;
    if (step.cell) {
      identity = step.file.filename().string() + "#" + step.cell->id;
      if (step.cell->id.empty() || seen.contains(identity)) {
        identity = step.file.filename().string() + "#~" + sha256_hex(step.cell->source).substr(0, 16);
      }
    }
    const int count = seen[identity]++;
    names.push_back(count == 0 ? identity : identity + "~" + std::to_string(count));
  }
  return names;
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/server_setup.hpp"

#include <unistd.h>

#include <cstdlib>

#include "cli/view/json.hpp"
#include "vdk/auth/credentials.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

namespace fs = std::filesystem;

fs::path notes_folder(const fs::path& home) { return home / "listening"; }

}  // namespace

fs::path server_config_file(const ParsedCommand& command) {
  std::string given = command.value_or("config", "");
  if (given.empty()) {
    given = process::environment("VDK_SERVER_CONFIG").value_or("");
  }
  return given.empty() ? fs::path() : fs::absolute(given).lexically_normal();
}

std::map<std::string, std::string> all_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    if (const auto equals = pair.find('='); equals != std::string_view::npos) {
      all.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  return all;
}

control::ServerConfig load_server(const ParsedCommand& command) {
  auth::protect_memory();  // passwords of the file, and later the logins of everybody who asks
  return control::load_server_config(server_config_file(command), all_environment(), config::control_service_home());
}

control::PythonVersions server_python_versions(const control::ServerConfig& config, const Context& context) {
  const auto discover = [&] { return found_pythons(config.embedded.home); };
  if (!config.supported_python_versions.empty()) {
    return control::configured_python_versions(config, discover);
  }
  const std::string fallback = config.default_python_version.empty() ? context.settings().get("default_python_version")
                                                                     : config.default_python_version;
  return control::load_python_versions(context.settings().get("supported_python_versions"), fallback, discover);
}

control::EmbeddedOptions server_options(const control::ServerConfig& config, const Context& context,
                                        Interpreters interpreters) {
  control::EmbeddedOptions options = config.embedded;
  options.caller = context.embedded_options(Interpreters::not_needed).caller;
  options.python = std::make_shared<control::PythonCatalog>();
  if (interpreters == Interpreters::needed) {
    options.python->replace(server_python_versions(config, context));
  }
  return options;
}

std::unique_ptr<target::Target> server_target(const fs::path& home, const std::atomic<bool>* stop) {
  return target::make_local_target(home, files::executable(), stop);
}

std::string database_kind(const control::DatabaseOptions& database) {
  return database.url.empty() ? "sqlite" : "postgresql";
}

namespace {

/// The administrator's variables for a job. A file that is wrong by now is not the job's fault.
std::map<std::string, std::string> administrators_options(const Context& context, const std::string& job) {
  const std::string file = process::environment("VDK_SERVER_CONFIG").value_or("");
  try {
    (void)context.embedded_options(Interpreters::not_needed);  // reads what is unset afterwards
    return file.empty()
               ? std::map<std::string, std::string>()
               : control::vdk_options_of(control::load_server_config(file, all_environment(), context.home()), job);
  } catch (const Error& error) {
    throw Error(ErrorKind::platform, error.text());
  }
}

}  // namespace

void prepare_execution_environment(const Context& context, const std::string& job) {
  const auto options = administrators_options(context, job);
  for (const control::ServerKey& key : control::server_keys()) {
    if (key.secret) {
      ::unsetenv(key.environment.c_str());
    }
  }
  for (const auto& [name, value] : options) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
}

ServerNote::ServerNote(const fs::path& home, const RunningServer& server) {
  files::make_private_directory(notes_folder(home));
  m_file = notes_folder(home) / (std::to_string(server.pid) + ".json");
  Json note;
  note["identity"] = process::identity(server.pid).value_or("");
  note["pid"] = server.pid;
  note["address"] = server.address;
  note["database"] = server.database;
  note["version"] = server.version;
  note["config"] = server.config;
  note["started"] = server.started;
  files::write_atomic(m_file, note.dump(2) + "\n", 0600);
}

ServerNote::~ServerNote() {
  std::error_code ignored;
  fs::remove(m_file, ignored);
}

std::vector<RunningServer> running_servers(const fs::path& home) {
  std::vector<RunningServer> servers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(notes_folder(home), none)) {
    const Json note = Json::parse(files::read_if_exists(entry.path()).value_or(""), nullptr, false);
    if (!note.is_object() || !note.contains("pid") || !note["pid"].is_number_integer()) {
      continue;
    }
    const auto field = [&](const char* key) {
      const auto found = note.find(key);
      return found != note.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    RunningServer server{.pid = note["pid"].get<int>(),
                         .address = field("address"),
                         .database = field("database"),
                         .version = field("version"),
                         .config = field("config"),
                         .started = field("started")};
    if (process::identity(server.pid) == field("identity")) {
      servers.push_back(std::move(server));
    } else {
      std::error_code ignored;
      fs::remove(entry.path(), ignored);  // its server was killed
    }
  }
  return servers;
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "cli/commands/auth_setup.hpp"
#include "cli/commands/server_setup.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/control/remote.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

std::string user_agent(const config::Settings& settings) {
  if (std::string given = settings.get("control_service_user_agent"); !given.empty()) {
    return given;
  }
  utsname system{};
  (void)::uname(&system);
  return std::string("vdk/" VDK_VERSION " (linux; ") + system.machine + ")";
}

int bounded(const config::Settings& settings, const char* name, int lowest, int highest) {
  const long long value = settings.get_int(name);
  if (value < lowest || value > highest) {
    const config::Resolved origin = settings.explain(name);
    throw Error(ErrorKind::configuration, {std::string("invalid value for ") + name,
                                           "'" + origin.value + "' (from " + origin.source + ") is not between " +
                                               std::to_string(lowest) + " and " + std::to_string(highest),
                                           "the control service was not asked", "correct it"});
  }
  return static_cast<int>(value);
}

void tell_retry(const std::string& reason, std::chrono::milliseconds pause) {
  constexpr std::chrono::milliseconds long_enough{1000};
  const std::string text = "the control service: " + reason + "; trying again";
  pause >= long_enough ? log::warning(text + " in " + std::to_string(pause.count() / 1000) + " s") : log::debug(text);
}

}  // namespace

std::vector<control::PythonVersion> found_pythons(const std::filesystem::path& home) {
  std::vector<control::PythonVersion> versions;
  for (const target::Interpreter& found : target::discover_interpreters(home / "interpreters.json")) {
    versions.push_back(
        {.version = found.version, .interpreter = found.path.string(), .base_image = {}, .vdk_image = {}});
  }
  return versions;
}

/// The settings of the original. The waits are shorter than its 2, 4, 8 ... 120 s, which add up to ten minutes.
http::ClientOptions http_options(const config::Settings& settings) {
  constexpr int many = 1000;
  constexpr int hours = 24 * 3600;
  http::ClientOptions options;
  options.connect_timeout = std::chrono::seconds(bounded(settings, "control_http_connect_timeout_seconds", 1, hours));
  options.total_timeout = std::chrono::seconds(bounded(settings, "control_http_read_timeout_seconds", 1, hours));
  options.total_retries = bounded(settings, "control_http_total_retries", 0, many);
  options.connect_retries = bounded(settings, "control_http_connect_retries", 0, many);
  options.read_retries = bounded(settings, "control_http_read_retries", 0, many);
  options.backoff_seconds = 0.25;
  options.longest_backoff = std::chrono::seconds(5);
  options.retry_statuses = {500, 502, 503, 504};
  options.verify_tls = settings.get_bool("control_http_verify_ssl");
  options.ca_file = settings.get("control_http_ca_file");
  options.user_agent = user_agent(settings);
  options.on_retry = tell_retry;
  return options;
}

auth::TokenSourceOptions token_options(const config::Settings& settings) {
  auth::TokenSourceOptions options;
  options.http = http_options(settings);
  options.api_token = settings.get("api_token");
  options.api_token_authorization_url = settings.get("api_token_authorization_url");
  return options;
}

std::string login_name() {
  if (const passwd* entry = ::getpwuid(::geteuid()); entry != nullptr && entry->pw_name != nullptr) {
    return entry->pw_name;
  }
  return "user-" + std::to_string(::geteuid());
}

Context::Context(const ParsedCommand& command)
    : m_command(command),
      m_settings(config::Settings::from_process()),
      m_home(config::control_service_home()),
      m_clock(std::make_shared<SystemClock>()),
      m_op_id(process::environment("VDK_OP_ID_OVERRIDE").value_or("")),
      m_json(command.json()) {
  if (m_op_id.empty()) {
    m_op_id = random_hex(8);
  }
}

std::string Context::rest_api_url() const {
  if (m_this_home_only) {
    return {};
  }
  if (const auto given = m_command.value("rest-api-url")) {
    return *given;
  }
  if (const auto set = process::environment("VDK_CONTROL_SERVICE_REST_API_URL")) {
    return *set;  // an empty variable switches the default off
  }
  return config::load_user_defaults().rest_api_url;
}

void Context::set_home(std::filesystem::path home) {
  m_this_home_only = true;
  m_home = std::move(home);
}

const std::filesystem::path& Context::home() const {
  (void)server_config();
  return m_home;
}

const control::ServerConfig* Context::server_config() const {
  const std::string file = process::environment("VDK_SERVER_CONFIG").value_or("");
  if (m_server_config || file.empty() || remote()) {
    return m_server_config.get();
  }
  const auto environment = all_environment();
  // The warnings are for the administrator, who sees them when the server starts.
  control::ServerConfigResult result = control::read_server_config(file, environment, m_home);
  const bool wrong = std::any_of(result.problems.begin(), result.problems.end(),
                                 [](const control::ConfigProblem& problem) { return !problem.warning; });
  m_server_config = std::make_unique<control::ServerConfig>(
      wrong ? control::load_server_config(file, environment, m_home) : std::move(result.config));
  if (m_this_home_only) {
    m_server_config->embedded.home = m_home;
  }
  m_home = m_server_config->embedded.home;
  return m_server_config.get();
}

control::PythonVersions Context::python_versions() const {
  if (const control::ServerConfig* config = server_config()) {
    return server_python_versions(*config, *this);
  }
  return control::load_python_versions(m_settings.get("supported_python_versions"),
                                       m_settings.get("default_python_version"),
                                       [this] { return found_pythons(m_home); });
}

control::EmbeddedOptions Context::embedded_options(Interpreters interpreters) const {
  control::EmbeddedOptions options;
  if (const control::ServerConfig* config = server_config()) {
    options = config->embedded;
    options.python = std::make_shared<control::PythonCatalog>();
  }
  options.home = m_home;
  options.caller = {.user = login_name(), .op_id = m_op_id};
  if (interpreters == Interpreters::needed) {
    options.python->replace(python_versions());
  }
  return options;
}

control::RemoteOptions Context::remote_options(const std::string& url) const {
  control::RemoteOptions options;
  options.url = url;
  options.http = http_options(m_settings);
  options.op_id = m_op_id;
  const auto tokens = std::make_shared<auth::TokenSource>(token_options(m_settings));
  options.bearer = [tokens] { return tokens->token(); };
  options.renew_bearer = [tokens](const std::string& refused) { return tokens->replace(refused).value_or(""); };
  return options;
}

std::unique_ptr<control::Service> Context::impatient_service() const {
  control::RemoteOptions options = remote_options(rest_api_url());
  options.http.connect_timeout =
      std::min<std::chrono::milliseconds>(options.http.connect_timeout, std::chrono::seconds(5));
  options.http.total_retries = 0;
  return control::open_remote(std::move(options));
}

control::Service& Context::service(Interpreters interpreters) {
  if (!m_service) {
    if (const std::string url = rest_api_url(); !url.empty()) {
      m_service = control::open_remote(remote_options(url));
      return *m_service;
    }
    control::EmbeddedOptions options = embedded_options(interpreters);
    m_service =
        control::open_embedded(std::move(options), target::make_local_target(m_home, files::executable()), m_clock);
  }
  return *m_service;
}

std::string Context::job_name() const {
  const auto given = m_command.value("name");
  return given && !given->empty() ? *given : prompt("Job Name", "--name");
}

std::string Context::given_team() const {
  const std::string given = m_command.value_or("team", "");
  return given.empty() ? config::load_user_defaults().team : given;
}

std::string Context::known_team(control::Service& service, const std::string& job) const {
  std::vector<control::JobOverview> rows;
  if (remote()) {
    control::JobQuery query;
    query.filter = {{.property = "jobName", .pattern = job, .sort = {}}};
    rows = service.find_jobs(query).content;
  } else {
    rows = service.list_jobs("", 0);
  }
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.job.job_name == job; });
  return found == rows.end() ? std::string() : found->job.team;
}

std::string Context::team_of(const std::string& job) {
  if (const std::string given = m_command.value_or("team", ""); !given.empty()) {
    return given;
  }
  if (remote()) {
    const std::string fallback = given_team();
    const std::string known = fallback.empty() ? known_team(job) : fallback;
    return known.empty() ? team_for_new_job() : known;
  }
  const std::string likely = team_for_new_job();
  try {
    return service().get_job(likely, job).team;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
  }
  const std::string known = known_team(job);
  return known.empty() ? likely : known;
}

std::string Context::team_for_new_job() const {
  const std::string team = given_team();
  if (!team.empty()) {
    return team;
  }
  return remote() ? prompt("Job Team", "--team") : login_name();
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include <pwd.h>
#include <unistd.h>

#include "cli/view/terminal.hpp"
#include "vdk/control/remote.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

std::vector<control::PythonVersion> found_pythons(const std::filesystem::path& home) {
  std::vector<control::PythonVersion> versions;
  for (const target::Interpreter& found : target::discover_interpreters(home / "interpreters.json")) {
    versions.push_back(
        {.version = found.version, .interpreter = found.path.string(), .base_image = {}, .vdk_image = {}});
  }
  return versions;
}

}  // namespace

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
      m_json(command.json()) {}

std::string Context::rest_api_url() const {
  if (const auto given = m_command.value("rest-api-url")) {
    return *given;
  }
  if (const auto set = process::environment("VDK_CONTROL_SERVICE_REST_API_URL")) {
    return *set;  // an empty variable switches the default off
  }
  return config::load_user_defaults().rest_api_url;
}

control::EmbeddedOptions Context::embedded_options(Interpreters interpreters) const {
  control::EmbeddedOptions options;
  options.home = m_home;
  options.caller = {.user = login_name(), .op_id = process::environment("VDK_OP_ID_OVERRIDE").value_or(random_hex(8))};
  if (interpreters == Interpreters::needed) {
    const control::PythonVersions found = control::load_python_versions(m_settings.get("supported_python_versions"),
                                                                        m_settings.get("default_python_version"),
                                                                        [this] { return found_pythons(m_home); });
    options.python->replace(found);
  }
  return options;
}

control::Service& Context::service(Interpreters interpreters) {
  if (!m_service) {
    if (const std::string url = rest_api_url(); !url.empty()) {
      m_service = control::open_remote({.url = url});
      return *m_service;
    }
    m_service = control::open_embedded(embedded_options(interpreters),
                                       target::make_local_target(m_home, files::executable()), m_clock);
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

std::string Context::team_of(const std::string& job) {
  if (const std::string given = m_command.value_or("team", ""); !given.empty()) {
    return given;
  }
  const std::string likely = team_for_new_job();
  try {
    return service().get_job(likely, job).team;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found || !rest_api_url().empty()) {
      throw;
    }
  }
  // Job names are unique, so on this machine the team need not be typed.
  for (const control::JobOverview& overview : service().list_jobs("", 0)) {
    if (overview.job.job_name == job) {
      return overview.job.team;
    }
  }
  return likely;
}

std::string Context::team_for_new_job() const {
  const std::string team = given_team();
  if (!team.empty()) {
    return team;
  }
  return rest_api_url().empty() ? login_name() : prompt("Job Team", "--team");
}

}  // namespace vdk::cli

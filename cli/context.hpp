// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/control/embedded.hpp"
#include "vdk/control/remote.hpp"
#include "vdk/control/server_config.hpp"
#include "vdk/control/service.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::cli {

/// Whether Python interpreters may be looked for; only roll-outs and `info` need them.
enum class Interpreters { not_needed, needed };

/// What the commands share: settings, time, and the service, opened when first asked for.
class Context {
 public:
  explicit Context(const ParsedCommand& command);

  [[nodiscard]] const config::Settings& settings() const { return m_settings; }
  [[nodiscard]] const std::shared_ptr<const Clock>& clock() const { return m_clock; }
  [[nodiscard]] bool json() const { return m_json; }
  /// The URL of a remote service from the flag, the environment or the defaults file; empty = the service on this
  /// machine.
  [[nodiscard]] std::string rest_api_url() const;
  [[nodiscard]] bool remote() const { return !rest_api_url().empty(); }
  [[nodiscard]] control::Service& service(Interpreters interpreters = Interpreters::not_needed);
  /// The remote service, asked once only: for what is a help and no condition.
  [[nodiscard]] std::unique_ptr<control::Service> impatient_service() const;
  [[nodiscard]] const std::filesystem::path& home() const;
  /// The service of this home and no other, whatever address is set: executions belong to the service that started
  /// them.
  void set_home(std::filesystem::path home);
  /// With the configuration that VDK_SERVER_CONFIG names, when it is set.
  [[nodiscard]] control::EmbeddedOptions embedded_options(Interpreters interpreters) const;

  /// -n, else a question on the terminal.
  [[nodiscard]] std::string job_name() const;
  /// -t or the default team; empty when neither is given.
  [[nodiscard]] std::string given_team() const;
  /// Team of an existing job: -t, the default team, else what the service knows, else the login name on this machine.
  [[nodiscard]] std::string team_of(const std::string& job);
  /// What the service knows; job names are unique, so the team need not be typed. Empty for an unknown job.
  [[nodiscard]] std::string known_team(const std::string& job) { return known_team(service(), job); }
  [[nodiscard]] std::string known_team(control::Service& service, const std::string& job) const;
  /// Team for something new: -t, the default team, else the login name.
  [[nodiscard]] std::string team_for_new_job() const;

 private:
  [[nodiscard]] const control::ServerConfig* server_config() const;
  [[nodiscard]] control::RemoteOptions remote_options(const std::string& url) const;
  [[nodiscard]] control::PythonVersions python_versions() const;

  const ParsedCommand& m_command;
  config::Settings m_settings;
  mutable std::filesystem::path m_home;
  bool m_this_home_only = false;
  mutable std::unique_ptr<control::ServerConfig> m_server_config;
  std::shared_ptr<const Clock> m_clock;
  std::unique_ptr<control::Service> m_service;
  std::string m_op_id;
  bool m_json;
};

[[nodiscard]] std::string login_name();
/// The working Pythons on PATH as a dictionary of versions; what was asked is remembered in `home`.
[[nodiscard]] std::vector<control::PythonVersion> found_pythons(const std::filesystem::path& home);

}  // namespace vdk::cli

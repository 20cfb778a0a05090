// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/control/embedded.hpp"
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
  [[nodiscard]] control::Service& service(Interpreters interpreters = Interpreters::not_needed);
  [[nodiscard]] const std::filesystem::path& home() const { return m_home; }
  void set_home(std::filesystem::path home) { m_home = std::move(home); }
  [[nodiscard]] control::EmbeddedOptions embedded_options(Interpreters interpreters) const;

  /// -n, else a question on the terminal.
  [[nodiscard]] std::string job_name() const;
  /// -t or the default team; empty when neither is given.
  [[nodiscard]] std::string given_team() const;
  /// Team of an existing job: -t, the default team, else what the service on this machine knows, else the login name.
  [[nodiscard]] std::string team_of(const std::string& job);
  /// Team for something new: -t, the default team, else the login name.
  [[nodiscard]] std::string team_for_new_job() const;

 private:
  const ParsedCommand& m_command;
  config::Settings m_settings;
  std::filesystem::path m_home;
  std::shared_ptr<const Clock> m_clock;
  std::unique_ptr<control::Service> m_service;
  bool m_json;
};

[[nodiscard]] std::string login_name();

}  // namespace vdk::cli

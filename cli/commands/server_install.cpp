// SPDX-License-Identifier: Apache-2.0
// server --install, server --uninstall: a systemd service of the user
#include <cstdlib>

#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* unit_name = "vdk-server.service";

fs::path unit_file() {
  const std::string set = process::environment("XDG_CONFIG_HOME").value_or("");
  const fs::path base = set.empty() ? files::home_directory() / ".config" : fs::path(set);
  return base / "systemd" / "user" / unit_name;
}

process::Result systemctl(std::vector<std::string> arguments) {
  constexpr std::chrono::seconds patience{60};
  std::vector<std::string> argv = {"systemctl", "--user"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return process::run({.argv = std::move(argv), .timeout = patience});
}

std::string words_of(const process::Result& result) {
  const std::string_view said = text::trim(result.err.empty() ? result.out : result.err);
  return said.empty() ? "exit code " + std::to_string(result.exit_code) : std::string(said);
}

/// Throws unless the systemd of this user answers.
void require_systemd(const std::string& what) {
  std::string why = "there is no systemctl on PATH";
  if (process::find_program("systemctl")) {
    const process::Result answer = systemctl({"show-environment"});
    if (answer.exit_code == 0) {
      return;
    }
    why = "systemd does not run for this user: " + words_of(answer);
  }
  throw Error(ErrorKind::unsupported,
              {what, why, "nothing was changed",
               "Run `vdk server` under the supervisor that this machine has (a container's entry point, runit, cron's "
               "@reboot ...), or log in to a session with systemd."});
}

/// One argument of ExecStart: systemd expands %, $ and understands C escapes in double quotes.
std::string unit_word(std::string word) {
  word = text::replace_all(std::move(word), "\\", "\\\\");
  word = text::replace_all(std::move(word), "\"", "\\\"");
  word = text::replace_all(std::move(word), "%", "%%");
  return "\"" + text::replace_all(std::move(word), "$", "$$") + "\"";
}

/// The same for Environment=, where $ has no meaning.
std::string unit_assignment(const std::string& name, std::string value) {
  value = text::replace_all(std::move(value), "\\", "\\\\");
  value = text::replace_all(std::move(value), "\"", "\\\"");
  return "Environment=\"" + name + "=" + text::replace_all(std::move(value), "%", "%%") + "\"\n";
}

std::string unit_text(const ParsedCommand& command, const control::ServerConfig& config) {
  std::string start = unit_word(files::executable().string()) + " server";
  if (!config.file.empty()) {
    start += " --config " + unit_word(config.file.string());
  }
  for (const char* option : {"host", "port"}) {
    if (const auto given = command.value(option)) {
      start += std::string(" --") + option + " " + unit_word(*given);
    }
  }
  // KillMode: executions are processes of their own and outlive the server, as after Ctrl-C.
  return "[Unit]\nDescription=Versatile Data Kit control service\nAfter=network.target\n\n[Service]\nExecStart=" +
         start + "\nExecReload=/bin/kill -HUP $MAINPID\n" +
         unit_assignment("VDK_CONTROL_SERVICE_HOME", config.embedded.home.string()) +
         unit_assignment("PATH", process::environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin")) +
         "KillMode=process\nRestart=on-failure\nRestartSec=5\n\n[Install]\nWantedBy=default.target\n";
}

/// Put back what was there before.
void undo(const fs::path& file, const std::optional<std::string>& before) {
  try {
    if (before) {
      files::write_atomic(file, *before, 0600);
    } else {
      (void)systemctl({"disable", unit_name});
      fs::remove(file);
    }
    (void)systemctl({"daemon-reload"});
    if (before) {
      (void)systemctl({"restart", unit_name});
    }
  } catch (const std::exception& problem) {
    log::warning("'" + file.string() + "' could not be put back as it was: " + problem.what());
  }
}

void report(const Context& context, const std::string& state, const std::string& sentence) {
  print(context.json()
            ? dump_json(Json{{"service", unit_name}, {"state", state}, {"unit", unit_file().string()}}) + "\n"
            : sentence + "\n");
}

}  // namespace

int install_server(const ParsedCommand& command, const Context& context) {
  const std::string what = "cannot install the server as a service";
  const control::ServerConfig config = load_server(command);
  require_systemd(what);
  const fs::path file = unit_file();
  const auto before = files::read_if_exists(file);
  fs::create_directories(file.parent_path());
  files::write_atomic(file, unit_text(command, config), 0600);
  const std::vector<std::vector<std::string>> steps = {
      {"daemon-reload"}, {"enable", unit_name}, {"restart", unit_name}};
  for (const auto& step : steps) {
    const process::Result result = systemctl(step);
    if (result.exit_code != 0) {
      undo(file, before);
      throw Error(
          ErrorKind::operation,
          {what, "`systemctl --user " + text::join(step, " ") + "` failed: " + words_of(result),
           "everything is as it was before",
           "Look at `journalctl --user -u " + std::string(unit_name) + "`, correct the cause, and install again."});
    }
  }
  report(context, "installed",
         "Installed and started: " + file.string() + ". `vdk server --status` shows where it listens.");
  log::info("To keep it running without a login session: loginctl enable-linger");
  return 0;
}

int uninstall_server(const ParsedCommand&, const Context& context) {
  const std::string what = "cannot remove the server's service";
  const fs::path file = unit_file();
  if (!fs::exists(file)) {
    report(context, "not installed", "The server is not installed as a service of this user.");
    return 0;
  }
  require_systemd(what);
  const process::Result result = systemctl({"disable", "--now", unit_name});
  if (result.exit_code != 0) {
    throw Error(ErrorKind::operation,
                {what, "`systemctl --user disable --now " + std::string(unit_name) + "` failed: " + words_of(result),
                 "the service is still installed", "Correct the cause and try again."});
  }
  fs::remove(file);
  (void)systemctl({"daemon-reload"});
  report(context, "removed", "Stopped and removed: " + file.string() + ". Jobs, sources and executions stay.");
  return 0;
}

}  // namespace vdk::cli

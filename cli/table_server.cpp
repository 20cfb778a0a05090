// SPDX-License-Identifier: Apache-2.0
// `vdk server` and its sub-commands.
#include "cli/command_table.hpp"

namespace vdk::cli {
namespace {

Option config_option() {
  return {.long_name = "config",
          .metavar = "FILE",
          .help = "Configuration in YAML; docs/server.md lists the keys.",
          .environment = "VDK_SERVER_CONFIG",
          .completion = Completion::file};
}

Option flag(std::string name, std::string help) {
  return {.long_name = std::move(name), .help = std::move(help), .kind = OptionKind::flag};
}

Command server_command() {
  return {
      .name = "server",
      .summary = "Run the control service of this machine: REST API, schedules and roll-outs.",
      .description =
          "Runs in the foreground until SIGTERM or Ctrl-C; a second one ends it at once. SIGHUP reads the supported "
          "Python versions of the configuration again. Running executions go on and are adopted by the next server. "
          "One "
          "server per home folder, or several on one PostgreSQL database.",
      .examples = {{"vdk server", "Serve http://127.0.0.1:8092 and run deployed jobs on their schedules."},
                   {"vdk server --config server.yaml", "Run as a configuration file says."},
                   {"vdk server --check-config --config server.yaml", "Explain the mistakes of a configuration."},
                   {"vdk server --status", "Which servers run on this home, and where they listen."},
                   {"vdk server --install --config /etc/vdk/server.yaml", "Run it as a systemd user service."}},
      .options = {config_option(),
                  {.long_name = "host",
                   .metavar = "HOST",
                   .help = "Address to listen on; before the configuration.",
                   .default_value = "127.0.0.1"},
                  {.long_name = "port",
                   .metavar = "PORT",
                   .help = "Port to listen on, 0 for any free one; before the configuration.",
                   .default_value = "8092"},
                  flag("check-config", "Check the configuration, print every mistake, and exit."),
                  flag("status", "Show the servers that run on this home, and exit; exit code 1 when there is none."),
                  flag("install", "Install and start the server as a systemd service of this user."),
                  flag("uninstall", "Stop and remove that service.")},
      .exit_codes = {1, 5, 6, 8, 130}};
}

Command fsck_command() {
  return {.name = "server fsck",
          .summary = "Check database, sources and runtime against each other.",
          .description =
              "Prints one line for each contradiction. Exit code 1 when something is left to mend. With --repair, "
              "whatever has one right answer is mended; it is safe to run beside a server.",
          .examples = {{"vdk server fsck", "Look, and change nothing."},
                       {"vdk server fsck --repair", "Mend what has one right answer."}},
          .options = {config_option(), flag("repair", "Mend what has one right answer.")},
          .exit_codes = {1, 5, 8}};
}

Command backup_command() {
  return {.name = "server backup",
          .summary = "Copy database and sources consistently, while servers run.",
          .description =
              "Makes a folder that `vdk server restore --from` reads, on this or another machine, into SQLite or "
              "PostgreSQL. Secrets stay encrypted in it; without their key they cannot be read back.",
          .examples = {{"vdk server backup /backup/monday", "Copy to an empty or missing folder."},
                       {"vdk server backup /backup/monday --with-key", "With the key of the secrets."}},
          .positionals = {{"DIR", "Folder to write; empty or missing.", true, Completion::directory}},
          .options = {config_option(), flag("with-key", "Include the key that decrypts the jobs' secrets.")},
          .exit_codes = {1, 5, 6, 8}};
}

Command restore_command() {
  return {.name = "server restore",
          .summary = "Rebuild the runtime from the database, or load a backup first.",
          .description =
              "Rolls out every deployment that the database wants, whatever is left of the runtime. With --from, an "
              "empty service is first filled from a folder of `vdk server backup`.",
          .examples = {{"vdk server restore", "Bring lost deployments and environments back."},
                       {"vdk server restore --from /backup/monday", "Fill an empty service from a backup."}},
          .options = {config_option(),
                      {.long_name = "from",
                       .metavar = "DIR",
                       .help = "Folder of `vdk server backup`.",
                       .completion = Completion::directory}},
          .exit_codes = {1, 5, 6, 8}};
}

}  // namespace

std::vector<Command> service_commands() {
  return {server_command(), fsck_command(), backup_command(), restore_command()};
}

}  // namespace vdk::cli

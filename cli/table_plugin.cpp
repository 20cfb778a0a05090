// SPDX-License-Identifier: Apache-2.0
// `vdk plugin` and its sub-commands.
#include "cli/command_table.hpp"

namespace vdk::cli {
namespace {

Option flag(std::string name, std::string help) {
  return {.long_name = std::move(name), .help = std::move(help), .kind = OptionKind::flag};
}

Option value(std::string name, std::string metavar, std::string help, std::string fallback = {}) {
  return {.long_name = std::move(name),
          .metavar = std::move(metavar),
          .help = std::move(help),
          .default_value = std::move(fallback)};
}

Option config_option() {
  return {.long_name = "config",
          .short_name = "c",
          .metavar = "FILE",
          .help = "Which plugins are wanted, and from where; docs/plugins.md lists the keys.",
          .default_value = "vdk-plugins.yaml",
          .environment = "VDK_PLUGINS_CONFIG",
          .completion = Completion::file};
}

Option plugin_dir_option() {
  return {.long_name = "plugin-dir",
          .metavar = "DIR",
          .help = "Folder of the plugins, instead of the configuration's.",
          .completion = Completion::directory};
}

Option lock_wait_option() {
  return value("lock-wait", "SECONDS", "How long to wait for another vdk that writes to the folder.", "60");
}

Option parallel_option() { return value("parallel", "N", "How many plugins are fetched at once, 1 to 32.", "8"); }

Option new_signer_option() {
  return flag("accept-new-signer", "Take a plugin that is signed by another key than before.");
}

Option dry_run_option() { return flag("dry-run", "Say what would change, and change nothing."); }

Positional many_names(bool required) {
  return {.name = "NAME", .help = "Names of plugins in the configuration.", .required = required, .many = true};
}

Command install_command() {
  return {
      .name = "plugin install",
      .summary = "Make the plugin folder what the configuration says.",
      .description =
          "Downloads what is missing, checks every file, and switches to all of it at once; when anything fails "
          "nothing "
          "is changed. What exactly was installed is written to vdk-plugins.lock beside the configuration, so that "
          "every machine gets the same bytes. Plugins that left the configuration are removed. When nothing is to do, "
          "no network is used.",
      .examples = {{"vdk plugin install", "Install what vdk-plugins.yaml lists."},
                   {"vdk plugin install -c plugins.yaml --locked", "In CI: exactly what the lock file says."},
                   {"vdk plugin install --dry-run", "What would change?"}},
      .options = {config_option(),
                  flag("locked", "Refuse to go on unless the lock file says everything; it stays as it is."),
                  flag("offline", "Use nothing but the cache."), dry_run_option(),
                  flag("check", "Change nothing; exit code 3 when something would change."),
                  flag("upgrade", "Look for newer versions that fit, and lock what was found."),
                  flag("no-prune", "Keep plugins that left the configuration."), new_signer_option(), parallel_option(),
                  lock_wait_option()},
      .exit_codes = {1, 3, 4, 5, 6, 8, 130}};
}

Command sync_command() {
  return {.name = "plugin sync",
          .summary = "Take over the YAML plugins that control services publish.",
          .description =
              "Asks each server what it publishes, fetches what is missing, checks every file against its hash, and "
              "switches to all of it at once; a server that fails keeps its old plugins and does not stop the others. "
              "Servers are those of --server, else the configuration's, else the control service. The first one wins "
              "where several have a plugin of the same name; installed plugins win over all. The login is sent to the "
              "control service and to servers given with --server only.",
          .examples = {{"vdk plugin sync", "Sync with the servers of vdk-plugins.yaml, or with the control service."},
                       {"vdk plugin sync --server integration=https://vdk.example.com", "Sync with one server."},
                       {"vdk plugin sync --check", "Exit code 3 when a server publishes something else by now."}},
          .options = {config_option(),
                      plugin_dir_option(),
                      {.long_name = "server",
                       .metavar = "NAME=URL",
                       .help = "A server and the name that its plugins are kept under; may be repeated.",
                       .kind = OptionKind::repeat},
                      dry_run_option(),
                      flag("check", "Change nothing; exit code 3 when something would change."),
                      {.long_name = "rest-api-url",
                       .short_name = "u",
                       .metavar = "URL",
                       .help = "Address of the control service.",
                       .environment = "VDK_CONTROL_SERVICE_REST_API_URL"},
                      lock_wait_option()},
          .exit_codes = {1, 3, 4, 5, 6, 8, 130}};
}

Command list_command() {
  return {
      .name = "plugin list",
      .summary = "List the plugins of this folder, and which of them win.",
      .description =
          "One row for each plugin: where it came from and whether it is used. A plugin is shadowed when another one "
          "of the same name stands before it. With a configuration, plugins that it names and that are not "
          "installed are listed too.",
      .examples = {{"vdk plugin list", "What is installed?"},
                   {"vdk plugin list --all", "The same with the plugins that ship with vdk."},
                   {"vdk plugin list -o json", "The same for a program, with hashes and folders."}},
      .options = {config_option(), plugin_dir_option(), flag("all", "List the plugins that ship with vdk, too.")},
      .exit_codes = {1}};
}

Command info_command() {
  return {.name = "plugin info",
          .summary = "Show everything that is known about one plugin.",
          .description = "What the configuration wants, what the lock file says, and what is installed.",
          .examples = {{"vdk plugin info bq2bq", "Where does this plugin come from?"}},
          .positionals = {{.name = "NAME", .help = "Name of the plugin."}},
          .options = {config_option(), plugin_dir_option()},
          .exit_codes = {1, 5}};
}

Command outdated_command() {
  return {
      .name = "plugin outdated",
      .summary = "Ask the providers for newer versions.",
      .description =
          "For each plugin with {version} in its path: the installed version, the newest that the configuration "
          "allows, and the newest of all. Changes nothing.",
      .examples = {{"vdk plugin outdated", "Is there anything new?"},
                   {"vdk plugin outdated --check", "Exit code 3 when `vdk plugin upgrade` would change something."}},
      .options = {config_option(), flag("check", "Exit code 3 when a newer version is allowed.")},
      .exit_codes = {1, 3, 4, 5, 8}};
}

Command upgrade_command() {
  return {
      .name = "plugin upgrade",
      .summary = "Install newer versions that the configuration allows, and lock them.",
      .description =
          "The same as `vdk plugin install --upgrade`, for all plugins or those named. Files that changed under the "
          "same address are taken, too; `install` refuses them.",
      .examples = {{"vdk plugin upgrade", "Upgrade everything."},
                   {"vdk plugin upgrade bq2bq", "Upgrade one plugin only."}},
      .positionals = {many_names(false)},
      .options = {config_option(), dry_run_option(), new_signer_option(), parallel_option(), lock_wait_option()},
      .exit_codes = {1, 4, 5, 6, 8, 130}};
}

Command uninstall_command() {
  return {
      .name = "plugin uninstall",
      .summary = "Take plugins out of the configuration and remove them.",
      .description =
          "Removes the plugin's lines from the configuration, keeps every other line and comment, and installs. When "
          "the entry cannot be cut out safely, the lines to remove are named and nothing is changed.",
      .examples = {{"vdk plugin uninstall bq2bq", "Remove a plugin."}},
      .positionals = {many_names(true)},
      .options = {config_option(), dry_run_option(), lock_wait_option()},
      .exit_codes = {1, 5, 6, 130}};
}

Command verify_command() {
  return {
      .name = "plugin verify",
      .summary = "Compare the installed files with what was installed.",
      .description =
          "Hashes every file again, of installed and of synced plugins. Exit code 3 when a file was changed, added or "
          "removed; `vdk plugin install` mends that.",
      .examples = {{"vdk plugin verify", "Did anybody touch the plugins?"}},
      .options = {config_option(), plugin_dir_option()},
      .exit_codes = {1, 3}};
}

Command validate_command() {
  return {.name = "plugin validate",
          .summary = "Check a configuration and YAML plugins before they are used.",
          .description =
              "Without --path: the configuration, the lock file and the installed YAML plugins. With --path: a YAML "
              "plugin, or "
              "every *.yaml and *.yml file in a folder. Every mistake is shown with its line.",
          .examples = {{"vdk plugin validate", "Check the configuration and what it installed."},
                       {"vdk plugin validate --path my-plugin.yaml", "Check a plugin that you write."}},
          .options = {config_option(),
                      {.long_name = "path",
                       .metavar = "PATH",
                       .help = "A YAML plugin, or a folder of them.",
                       .completion = Completion::file}},
          .exit_codes = {1, 5}};
}

Command vendor_command() {
  return {.name = "plugin vendor",
          .summary = "Copy all plugins of the lock file into a folder that installs without a network.",
          .description =
              "Writes the files of every platform and a configuration with their hashes. `vdk plugin install -c "
              "DIR/vdk-plugins.yaml` then installs from that folder.",
          .examples = {{"vdk plugin vendor ./vendor", "Make a folder to carry to another network."}},
          .positionals = {{"DIR", "Folder to write; empty or missing.", true, Completion::directory}},
          .options = {config_option(), flag("offline", "Use nothing but the cache.")},
          .exit_codes = {1, 4, 5, 6, 8, 130}};
}

Command rollback_command() {
  return {.name = "plugin rollback",
          .summary = "Go back to plugins that were installed before.",
          .description =
              "The last three installations are kept. This switches to the one before the present one, at once and "
              "without a network. Configuration and lock file stay: the next `vdk plugin install` goes forward again.",
          .examples = {{"vdk plugin rollback", "Undo the last installation."},
                       {"vdk plugin rollback --list", "Which installations are kept?"},
                       {"vdk plugin rollback --to 7", "Go to a certain one."}},
          .options = {config_option(), plugin_dir_option(), value("to", "N", "Number of the installation."),
                      flag("list", "List what is kept, and change nothing."), lock_wait_option()},
          .exit_codes = {1, 5, 6}};
}

}  // namespace

std::vector<Command> plugin_commands() {
  return {
      install_command(),
      sync_command(),
      list_command(),
      info_command(),
      outdated_command(),
      upgrade_command(),
      uninstall_command(),
      verify_command(),
      validate_command(),
      vendor_command(),
      rollback_command(),
      {.name = "plugin cache show",
       .summary = "Show where downloaded plugins are kept, and how many.",
       .description = "The cache is shared by all plugin folders of a person; every file is checked when it is used.",
       .examples = {{"vdk plugin cache show", "How large is the cache?"}},
       .options = {config_option()},
       .exit_codes = {1}},
      {.name = "plugin cache prune",
       .summary = "Remove downloaded files that this lock file does not need.",
       .description =
           "Keeps what the lock file of the configuration names. Files that other configurations need are fetched "
           "again when they are wanted.",
       .examples = {{"vdk plugin cache prune --dry-run", "How much would that free?"},
                    {"vdk plugin cache prune --all", "Remove everything."}},
       .options = {config_option(), flag("all", "Keep nothing."), dry_run_option()},
       .exit_codes = {1}}};
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
// The commands that talk to the control service.
#include "cli/command_table.hpp"

namespace vdk::cli {
namespace {

const Option name_option = {.long_name = "name",
                            .short_name = "n",
                            .metavar = "NAME",
                            .help = "Name of the data job.",
                            .completion = Completion::job};
const Option team_option = {.long_name = "team",
                            .short_name = "t",
                            .metavar = "TEAM",
                            .help = "Team that owns the job; found by itself on the service of this machine.",
                            .completion = Completion::team};
const Option url_option = {
    .long_name = "rest-api-url",
    .short_name = "u",
    .metavar = "URL",
    .help = "Base URL of a remote control service; without one the service on this machine is used.",
    .environment = "VDK_CONTROL_SERVICE_REST_API_URL"};

Option flag(std::string name, std::string help) {
  return {.long_name = std::move(name), .help = std::move(help), .kind = OptionKind::flag};
}

Option value(std::string name, std::string short_name, std::string metavar, std::string help,
             Completion completion = Completion::none) {
  return {.long_name = std::move(name),
          .short_name = std::move(short_name),
          .metavar = std::move(metavar),
          .help = std::move(help),
          .completion = completion};
}

Command create_command() {
  Option cloud = flag("cloud", "Register the job at the control service.");
  cloud.aliases = {"no-sample", "no-template"};
  Option hook = value("hook", "", "PLUGIN", "Add a hook plugin, too; its answers are called HOOK.KEY.");
  hook.kind = OptionKind::repeat;
  Option config = value("config", "c", "FILE",
                        "Which plugins are installed, and where; docs/plugins.md lists the keys.", Completion::file);
  config.default_value = "vdk-plugins.yaml";
  config.environment = "VDK_PLUGINS_CONFIG";
  Option set = value("set", "", "KEY=VALUE", "Answer to one question of the plugin.");
  set.kind = OptionKind::repeat;
  return {
      .name = "create",
      .summary = "Create a data job: a folder with a sample, a registration, or both.",
      .description =
          "Without --local or --cloud a folder is made, and the job is registered too when a remote service is "
          "configured. A name has 6 to 50 of a-z, 0-9 and -, and starts with a letter.",
      .examples =
          {{"vdk create -n hello-job -t my-team", "Make the folder hello-job with a sample."},
           {"vdk create -n hello-job -t my-team --template sql", "Start from SQL steps only."},
           {"vdk create -n hello-job -t my-team --cloud", "Register the job only."},
           {"vdk create -n daily-sales -t my-team --plugin sql-to-sql --set DATABASE=sales.db --set TABLE=daily",
            "Make a job from a plugin."}},
      .options = {value("name", "n", "NAME", "Name of the new data job."), team_option,
                  value("path", "p", "DIR", "Folder in which the job's folder is made (default: the current one).",
                        Completion::directory),
                  value("template", "", "NAME", "What the folder starts with: default, sql, python, notebook, ingest."),
                  std::move(cloud), flag("local", "Make the folder only."),
                  value("plugin", "", "PLUGIN",
                        "Make the job from a plugin: NAME, NAME@VERSION, or the path of its YAML file.",
                        Completion::file),
                  std::move(hook), std::move(config),
                  value("answers", "", "FILE", "Answers to the plugin's questions, as YAML or JSON.", Completion::file),
                  std::move(set), flag("defaults", "Take the default wherever a question has one."),
                  flag("no-input", "Ask nothing; say what is missing."),
                  value("save-answers", "", "FILE", "Write the answers to a file for --answers.", Completion::file),
                  flag("dry-run", "Print the files that a plugin gives; create nothing."), url_option},
      .exit_codes = {1, 4, 5, 6, 8}};
}

Command deploy_command() {
  Option version = value("job-version", "", "VERSION", "Deploy this version of the sources, for example to go back.");
  return {
      .name = "deploy",
      .summary = "Deploy a data job, or change, show or remove its deployment.",
      .description =
          "Sends the job's folder to the control service, which keeps its version, prepares its Python and runs it "
          "on the schedule of config.ini (UTC). Deploying what is deployed already changes nothing. A deployment "
          "stays enabled or disabled unless asked otherwise.",
      .examples = {{"vdk deploy -p hello-job", "Deploy the folder hello-job."},
                   {"vdk deploy -p hello-job --dry-run", "Show what would change, and change nothing."},
                   {"vdk deploy -n hello-job --show", "Show the deployment."},
                   {"vdk deploy -n hello-job --disable", "Stop the schedule."},
                   {"vdk deploy -n hello-job --update --job-version 1f6c2e", "Go back to another version."}},
      .options = {name_option, team_option,
                  value("job-path", "p", "DIR", "Folder of the data job.", Completion::directory),
                  flag("create", "Deploy the folder (the default)."),
                  flag("update", "Change the deployment without sending sources."),
                  flag("enable", "Let the schedule run the job."),
                  flag("disable", "Keep the schedule from running it."),
                  flag("remove", "Remove the deployment; sources and history stay."),
                  flag("show", "Show the deployment."),
                  flag("dry-run", "Print the files and settings that would change; store nothing."), std::move(version),
                  value("vdk-version", "v", "VERSION", "Version of vdk that runs the job (stored and reported)."),
                  value("python-version", "", "VERSION",
                        "Python that runs the job, for example 3.11; before config.ini's [job] python_version."),
                  value("reason", "r", "TEXT", "Why, for the history of the sources."), url_option},
      .exit_codes = {1, 4, 5, 6, 8}};
}

Command execute_command() {
  Option follow = flag("follow", "With --logs: go on until the execution ends.");
  follow.short_name = "f";
  return {.name = "execute",
          .summary = "Start, watch or cancel executions of a deployed data job.",
          .description =
              "Operations may be combined as --start --wait. Waiting ends with exit code 0 when the execution "
              "succeeded and 1 otherwise.",
          .examples = {{"vdk execute -n hello-job --start", "Start it."},
                       {"vdk execute -n hello-job --start --wait", "Start it and wait for the end."},
                       {"vdk execute -n hello-job --logs -f", "Follow the newest execution's log."},
                       {"vdk execute -n hello-job --list -o json", "All executions, newest first."}},
          .options = {name_option, team_option,
                      value("execution-id", "i", "ID", "Id of the execution; the newest for --wait, --logs and --show.",
                            Completion::execution),
                      flag("start", "Start an execution."), flag("wait", "Wait until the execution ends."),
                      flag("cancel", "Stop an execution."), flag("show", "Show one execution."),
                      flag("list", "List the executions."), flag("logs", "Print the log."), std::move(follow),
                      value("arguments", "", "JSON", "JSON object that the steps read with get_arguments()."),
                      value("timeout", "", "SECONDS", "Give up waiting after this time; the execution goes on."),
                      url_option},
          .exit_codes = {1, 4, 5, 6, 7, 8, 130}};
}

Command data_command(const std::string& noun, const std::string& one) {
  const bool secret = noun == "secrets";
  Option set =
      value("set", "", "KEY VALUE",
            secret ? "Set a secret. The value is visible to other users of this machine: prefer --set-prompt or "
                     "--set-stdin."
                   : "Set a property; an existing one keeps its type.");
  set.kind = OptionKind::pair;
  Option prompt = value("set-prompt", "", "KEY", "Ask for the value on the terminal without showing it.");
  prompt.kind = OptionKind::repeat;
  Option file = value("set-file", "", "KEY PATH", "Set to the content of a file.");
  file.kind = OptionKind::pair;
  Option remove = value("delete", "", "KEY", "Delete one.");
  remove.kind = OptionKind::repeat;
  return {.name = noun,
          .summary = "Read and change the " + noun + " of a data job.",
          .description = "Key-value data that the job reads with get_" + one + "()." +
                         (secret ? " Secrets are stored encrypted." : ""),
          .examples = {secret ? Example{"vdk secrets -n hello-job --set-prompt db-password",
                                        "Ask for a value and store it."}
                              : Example{"vdk properties -n hello-job --set last-id 42", "Store a value."},
                       {"vdk " + noun + " -n hello-job --list", "Show all."},
                       {"vdk " + noun + " -n hello-job --set-stdin token < token.txt", "Store a value from a pipe."}},
          .options = {name_option, team_option, std::move(set), std::move(prompt),
                      value("set-stdin", "", "KEY", "Set to what standard input gives, without its last line end."),
                      std::move(file), std::move(remove), value("get", "", "KEY", "Print one."),
                      flag("list", "Print all."), flag("delete-all-job-" + noun, "Delete all."),
                      value("overwrite-all-job-" + noun, "", "FILE",
                            "Replace all by the JSON object of a file, - for standard input.", Completion::file),
                      url_option},
          .exit_codes = {4, 5, 8}};
}

Command list_command() {
  Option more = {.long_name = "more-details",
                 .short_name = "m",
                 .help = "More columns; -mm and -mmm show still more.",
                 .kind = OptionKind::count};
  Option all = flag("all", "Jobs of all teams.");
  all.short_name = "a";
  return {
      .name = "list",
      .summary = "List data jobs.",
      .description = "Jobs of a team, or all when there is neither a team nor a default team.",
      .examples = {{"vdk list", "All jobs."}, {"vdk list -t my-team -mmm -o json", "Everything about a team's jobs."}},
      .options = {team_option, std::move(all), std::move(more), url_option},
      .exit_codes = {4, 8}};
}

}  // namespace

std::vector<Command> control_commands() {
  Option yes = flag("yes", "Do not ask.");
  Option path = value("path", "p", "DIR", "Folder to write to.", Completion::directory);
  path.default_value = ".";
  return {create_command(),
          deploy_command(),
          execute_command(),
          list_command(),
          {.name = "show",
           .summary = "Show a data job with its deployment and newest executions.",
           .description = "Configuration, deployments and the two newest executions.",
           .examples = {{"vdk show -n hello-job -o json", "Everything known about the job."}},
           .options = {name_option, team_option, url_option},
           .exit_codes = {4, 5, 8}},
          {.name = "delete",
           .summary = "Delete a data job and its deployment.",
           .description = "The folder on disk stays. Asks first, unless --yes is given.",
           .examples = {{"vdk delete -n hello-job --yes", "Delete without asking."}},
           .options = {name_option, team_option, std::move(yes), url_option},
           .exit_codes = {1, 4, 5, 6, 8}},
          {.name = "download-job",
           .summary = "Download the sources of a data job.",
           .description = "Makes the folder NAME below the given folder.",
           .examples = {{"vdk download-job -n hello-job -p /tmp", "Get /tmp/hello-job."}},
           .options = {name_option, team_option, path, url_option},
           .exit_codes = {4, 5, 6, 8}},
          {.name = "download-key",
           .summary = "Download the Kerberos key of a data job.",
           .description = "Writes NAME.keytab, where the service has Kerberos.",
           .examples = {{"vdk download-key -n hello-job", "Get hello-job.keytab."}},
           .options = {name_option, team_option, path, url_option},
           .exit_codes = {1, 4, 5, 8}},
          data_command("properties", "property"),
          data_command("secrets", "secret"),
          {.name = "info",
           .summary = "Show the control service's version and Python versions.",
           .description = "The Python versions that a job may ask for.",
           .examples = {{"vdk info", "Version and supported Python versions."}},
           .options = {team_option, url_option},
           .exit_codes = {4, 8}}};
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/commands/deploy_plan.hpp"
#include "cli/view/json.hpp"
#include "cli/view/records.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"
#include "vdk/job/job.hpp"
#include "vdk/plugin/plugin_job.hpp"

namespace vdk::cli {
namespace {

[[noreturn]] void usage(const std::string& what, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::usage, {what, why, "nothing was deployed or changed", countermeasures});
}

control::DeploymentRequest read_request(const ParsedCommand& command) {
  control::DeploymentRequest request;
  request.job_version = command.value("job-version");
  request.python_version = command.value("python-version");
  request.vdk_version = command.value("vdk-version");
  if (command.has("enable") || command.has("disable")) {
    request.enabled = command.has("enable");
  }
  return request;
}

void check_flags(const ParsedCommand& command) {
  if (command.has("enable") && command.has("disable")) {
    usage("cannot use --enable together with --disable", "a deployment is either enabled or disabled",
          "give one of them");
  }
  std::vector<std::string> given;
  for (const char* operation : {"create", "update", "remove", "show"}) {
    if (command.has(operation)) {
      given.push_back(std::string("--") + operation);
    }
  }
  if ((command.has("remove") || command.has("show")) && (command.has("enable") || command.has("disable"))) {
    given.emplace_back(command.has("enable") ? "--enable" : "--disable");
  }
  if (given.size() > 1) {
    usage("cannot use " + text::join(given, " together with "), "they ask for different operations",
          "give one of them");
  }
  if (command.has("job-path") && command.has("job-version")) {
    usage("cannot use --job-path together with --job-version",
          "a folder is deployed as a new version, --job-version names one that exists", "leave out one of them");
  }
}

/// Say how a roll-out ended; a failed one becomes the command's error.
int report_outcome(const control::DeployOutcome& outcome, const Context& context) {
  const control::Deployment& deployment = outcome.deployment;
  const std::string& job = deployment.job_name;
  if (deployment.status == control::DeploymentStatus::user_error ||
      deployment.status == control::DeploymentStatus::platform_error) {
    const bool user = deployment.status == control::DeploymentStatus::user_error;
    throw Error(user ? ErrorKind::user_code : ErrorKind::platform,
                {"cannot roll out data job " + job,
                 deployment.status_message.empty() ? "the service gave no reason" : deployment.status_message,
                 "the new version is stored but does not run; a deployment that was there before goes on running",
                 user ? "correct the job (often its requirements.txt) and deploy it again"
                      : "see the reason; `vdk deploy -n " + job + " --update --job-version " + deployment.job_version +
                            "` tries again"});
  }
  if (context.json()) {
    print(dump_json(deployed_row(deployment)) + "\n");
  }
  if (deployment.status == control::DeploymentStatus::none) {
    log::info("The service has accepted the deployment of data job " + job +
              (deployment.job_version.empty() ? "" : " in version " + deployment.job_version) +
              " and rolls it out; this may take some minutes.");
    log::info("See whether it is there with: vdk deploy --show -n " + text::shell_quote(job));
    return 0;
  }
  const std::string facts = "version " + deployment.job_version + ", Python " + deployment.python_version + ", " +
                            (deployment.enabled ? "enabled" : "disabled");
  log::info(outcome.changed ? "Deployed data job " + job + ": " + facts + "."
                            : "Data job " + job + " is unchanged: " + facts + ".");
  if (outcome.changed) {
    log::info("See it with: vdk deploy --show -n " + text::shell_quote(job));
  }
  if (deployment.schedule_cron.empty()) {
    log::info("It has no schedule; start it with: vdk execute --start -n " + text::shell_quote(job));
  } else if (deployment.enabled && context.rest_api_url().empty() && !control::server_is_running(context.home())) {
    log::warning("the schedule needs a running `vdk server`");
  }
  return 0;
}

int show(Context& context) {
  const std::string job = context.job_name();
  const std::string team = context.team_of(job);
  const auto deployment = context.service().get_deployment(team, job);
  Json rows = Json::array();
  if (context.json()) {
    if (deployment) {
      rows.push_back(detailed_deployment(*deployment));
    }
    print(dump_json(rows) + "\n");
    return 0;
  }
  if (deployment) {
    rows.push_back(deployment_row(*deployment));
    if (!deployment->status_message.empty()) {
      log::warning("the last roll-out failed: " + deployment->status_message);
    }
  } else {
    (void)context.service().get_job(team, job);  // tells a missing job from one that is not deployed
  }
  print(grid_table(rows));
  return 0;
}

int remove(Context& context) {
  const std::string job = context.job_name();
  const std::string team = context.team_of(job);
  context.service().remove_deployment(team, job);
  log::info("Deployment of Data Job " + job + " removed.");
  if (context.json()) {
    print(dump_json({{"job_name", job}, {"removed", true}}) + "\n");
  }
  return 0;
}

int update(const ParsedCommand& command, Context& context) {
  const control::DeploymentRequest request = read_request(command);
  const std::string job = context.job_name();
  if (!request.job_version && !request.python_version && !request.vdk_version && !request.enabled) {
    log::warning("Nothing to update for deployment of job " + job + ".");
    if (context.json()) {
      print(dump_json({{"job_name", job}, {"updated", false}}) + "\n");
    }
    return 0;
  }
  if (command.has("dry-run")) {
    usage("cannot use --dry-run with an update", "it compares a folder with what is deployed",
          "give the folder with --job-path");
  }
  control::Service& service = context.service(Interpreters::needed);
  const std::string team = context.team_of(job);
  ProgressLine progress(!context.json());
  const control::DeployOutcome outcome =
      service.deploy(team, job, request, [&](std::string_view text) { progress.update(text); });
  progress.clear();
  if (request.enabled && !request.job_version && !request.python_version && !request.vdk_version) {
    log::info("Deployment of Data Job " + job + " updated; status: " + (*request.enabled ? "enabled" : "disabled") +
              "; ");
  }
  return report_outcome(outcome, context);
}

// ---- deploying a folder

struct FolderDeploy {
  job::Job job;
  std::string name;
  std::string team;
  std::string zip;
  control::DeploymentRequest request;
  std::optional<control::DataJob> stored;
};

void load_folder(FolderDeploy& deploy, const ParsedCommand& command) {
  const std::string path = command.has("job-path") ? *command.value("job-path") : prompt("Job Path", "--job-path");
  deploy.job = job::load(path);
  if (!deploy.job.ini) {
    throw Error(
        ErrorKind::configuration,
        {"cannot deploy " + deploy.job.directory.string(), "the folder has no config.ini", "nothing was deployed",
         "add a config.ini with `[owner]` and `team = NAME`, or give another --job-path"});
  }
  if (plugin::is_plugin_job(deploy.job.directory)) {
    (void)plugin::load_plugin_job(deploy.job.directory);  // a broken one would fail at its first run only
  }
  for (const std::string& warning : deploy.job.config.warnings) {
    log::warning(warning);
  }
  deploy.name = command.value_or("name", deploy.job.name);
  deploy.zip = job::pack(deploy.job.directory, deploy.name);
  if (!deploy.request.python_version && !deploy.job.config.python_version.empty()) {
    deploy.request.python_version = deploy.job.config.python_version;
  }
}

/// Runs a check of one value of config.ini; its error then points at the line of the file.
template <typename Check>
void check_value(const FolderDeploy& deploy, const char* key, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    const config::IniValue* value = deploy.job.ini->find("job", key);
    if (value == nullptr || (error.location() && !error.location()->file.empty())) {
      throw;
    }
    SourceLocation place = value->location;
    place.length = std::max<std::size_t>(value->value.size(), 1);
    const bool same_line = place.column != 0 && place.text.substr(place.column - 1).starts_with(value->value);
    if (same_line && error.location()) {
      place.column += error.location()->column - 1;
      place.length = error.location()->length;
    }
    throw Error(error.kind(), error.text(), std::move(place));
  }
}

void check_settings(const FolderDeploy& deploy, const ParsedCommand& command, control::Service& service) {
  check_value(deploy, "schedule_cron", [&] { service.check_deployment({}, deploy.job.config.schedule_cron); });
  const auto check_request = [&] { service.check_deployment(deploy.request, ""); };
  if (command.has("python-version")) {
    check_request();
  } else {
    check_value(deploy, "python_version", check_request);
  }
}

/// A remote service is asked for the team of config.ini: only then nobody need be asked for one.
std::string likely_team(const FolderDeploy& deploy, const ParsedCommand& command, Context& context) {
  const std::string given = command.value_or("team", "");
  if (context.remote() && given.empty() && !deploy.job.config.team.empty()) {
    return deploy.job.config.team;
  }
  return context.team_of(deploy.name);
}

std::optional<control::DataJob> find_job(const FolderDeploy& deploy, const ParsedCommand& command, Context& context) {
  try {
    return context.service().get_job(likely_team(deploy, command, context), deploy.name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
    return std::nullopt;
  }
}

/// config.ini and -t must agree. The default team is only a fallback: unlike in the original it never contradicts
/// config.ini.
void settle_team(FolderDeploy& deploy, const ParsedCommand& command, Context& context) {
  const std::string given = command.value_or("team", "");
  const std::string& configured = deploy.job.config.team;
  if (!given.empty() && !configured.empty() && given != configured) {
    std::optional<SourceLocation> place;
    if (const config::IniValue* value = deploy.job.ini->find("owner", "team")) {
      place = value->location;
    }
    throw Error(ErrorKind::configuration,
                {"the teams of data job " + deploy.name + " do not match",
                 "--team is '" + given + "' and config.ini has '" + configured + "'", "nothing was deployed",
                 "leave out --team or correct config.ini"},
                place);
  }
  const std::string stored = deploy.stored ? deploy.stored->team : "";
  if (given.empty() && !configured.empty() && !stored.empty() && stored != configured) {
    deploy.stored.reset();  // asks the service with the team of config.ini, which answers as it must
  }
  deploy.team = !given.empty()        ? given
                : !configured.empty() ? configured
                : !stored.empty()     ? stored
                                      : context.team_for_new_job();
}

void register_job(FolderDeploy& deploy, Context& context) {
  control::Service& service = context.service();
  if (deploy.stored) {
    return;
  }
  if (!service.registers_on_deploy()) {
    throw Error(ErrorKind::not_found, {"cannot deploy data job " + deploy.name, "the control service does not know it",
                                       "nothing was deployed",
                                       "register it first: vdk create --cloud -n " + text::shell_quote(deploy.name) +
                                           " -t " + text::shell_quote(deploy.team)});
  }
  control::DataJob job;
  job.job_name = deploy.name;
  job.team = deploy.team;
  try {
    service.create_job(with_config(job, deploy.job.config));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) {
      throw;
    }
    throw Error(ErrorKind::conflict,
                {"cannot deploy data job " + deploy.name + " for team '" + deploy.team + "'",
                 "a job of this name belongs to another team; names are unique", "nothing was deployed",
                 "give that team with --team and in config.ini, or another name"});
  }
  log::info("Data job " + deploy.name + " was not known yet: registered it for team " + deploy.team + ".");
  deploy.stored = service.get_job(deploy.team, deploy.name);
}

int print_plan(const DeployPlan& plan, const Context& context) {
  Json files = Json::array();
  Json settings = Json::array();
  std::string out;
  for (const FileChange& change : plan.files) {
    files.push_back({{"path", change.path}, {"change", change.change}});
    out += "file     " + change.change + std::string(10 - change.change.size(), ' ') + change.path + "\n";
  }
  for (const SettingChange& change : plan.settings) {
    settings.push_back({{"name", change.name}, {"from", change.from}, {"to", change.to}});
    out += "setting  " + change.name + ": '" + change.from + "' -> '" + change.to + "'\n";
  }
  if (context.json()) {
    Json record;
    record["files"] = std::move(files);
    record["settings"] = std::move(settings);
    print(dump_json(record) + "\n");
  } else {
    print(out.empty() ? "Nothing would change.\n" : out);
  }
  return 0;
}

int deploy_folder(const ParsedCommand& command, Context& context) {
  FolderDeploy deploy;
  deploy.request = read_request(command);
  load_folder(deploy, command);
  job::validate_name(deploy.name);
  control::Service& service = context.service(Interpreters::needed);
  check_settings(deploy, command, service);
  deploy.stored = find_job(deploy, command, context);
  settle_team(deploy, command, context);
  if (command.has("dry-run")) {
    control::DataJob fresh;
    fresh.job_name = deploy.name;
    fresh.team = deploy.team;
    const control::DataJob wanted = with_config(deploy.stored.value_or(fresh), deploy.job.config);
    return print_plan(plan_deploy(service, deploy.stored, wanted, deploy.request, deploy.zip), context);
  }
  if (deploy.job.config.schedule_cron.empty()) {
    log::warning("config.ini has no schedule_cron: the job is deployed without a schedule");
  }
  if (!context.json()) {
    log::info("Deploy Data Job with name " + deploy.name + " from directory " + deploy.job.directory.string() +
              " ... ");
  }
  register_job(deploy, context);
  ProgressLine progress(!context.json());
  progress.update("uploading sources");
  deploy.request.job_version = service.upload(deploy.team, deploy.name, deploy.zip, command.value_or("reason", ""));
  service.update_job(with_config(*deploy.stored, deploy.job.config));
  const control::DeployOutcome outcome =
      service.deploy(deploy.team, deploy.name, deploy.request, [&](std::string_view text) { progress.update(text); });
  progress.clear();
  return report_outcome(outcome, context);
}

}  // namespace

int run_deploy(const ParsedCommand& command, Context& context) {
  check_flags(command);
  if (command.has("show")) {
    return show(context);
  }
  if (command.has("remove")) {
    return remove(context);
  }
  const bool changes = command.has("update") || command.has("enable") || command.has("disable") ||
                       (command.has("job-version") && !command.has("create"));
  return changes && !command.has("job-path") ? update(command, context) : deploy_folder(command, context);
}

}  // namespace vdk::cli

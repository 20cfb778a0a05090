// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/commands/create_plugin.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::cli {
namespace {

struct CreatePlan {
  bool cloud = false;
  bool local = false;
  job::CreateOptions folder;
};

CreatePlan read_plan(const ParsedCommand& command, const Context& context) {
  CreatePlan plan;
  const bool neither = !command.has("cloud") && !command.has("local");
  plan.local = command.has("local") || neither;
  plan.cloud = command.has("cloud") || (neither && !context.rest_api_url().empty());
  plan.folder.name = context.job_name();
  job::validate_name(plan.folder.name);
  plan.folder.team = context.team_for_new_job();
  plan.folder.parent = std::filesystem::absolute(command.value_or("path", ".")).lexically_normal();
  plan.folder.template_name = command.value_or("template", "default");
  return plan;
}

/// Refuse before the job is registered what would fail after it.
void check_folder(const CreatePlan& plan) {
  const auto names = job::template_names();
  if (names.empty()) {
    throw Error(ErrorKind::platform,
                {"cannot find the templates of vdk", "there is no folder templates/job in its share folder",
                 "nothing was created", "install vdk again, or set VDK_SHARE_DIR to its share/vdk folder"});
  }
  if (std::find(names.begin(), names.end(), plan.folder.template_name) == names.end()) {
    throw Error(ErrorKind::usage,
                {"no such template '" + plan.folder.template_name + "'", "vdk has " + text::quoted_list(names),
                 "nothing was created", "give one of these names with --template"});
  }
  if (!std::filesystem::is_directory(plan.folder.parent)) {
    throw Error(ErrorKind::not_found,
                {"cannot create the data job in " + plan.folder.parent.string(), "this folder does not exist",
                 "nothing was created", "make the folder, or give another one with --path"});
  }
  if (std::filesystem::exists(plan.folder.parent / plan.folder.name)) {
    throw Error(ErrorKind::conflict,
                {"cannot create the data job in " + (plan.folder.parent / plan.folder.name).string(),
                 "this folder exists already", "nothing was created", "choose another --name or --path"});
  }
}

/// A taken name is fine for whoever runs `create` again, not for another team.
void warn_of_other_team(const CreatePlan& plan, Context& context) {
  try {
    (void)context.service().get_job(plan.folder.team, plan.folder.name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
    log::warning("It does not belong to team '" + plan.folder.team +
                 "': names are unique, so choose another one with --name, or give its team with --team.");
  }
}

void register_job(const CreatePlan& plan, Context& context) {
  const std::string& name = plan.folder.name;
  control::DataJob job;
  job.job_name = name;
  job.team = plan.folder.team;
  try {
    context.service().create_job(job);
    log::info("Data Job with name " + name + " created and registered by Control Service.");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) {
      throw;
    }
    log::warning("Data Job with name " + name + " already exists in cloud runtime.");
    warn_of_other_team(plan, context);
  }
}

/// A help for services with Kerberos; elsewhere there is no keytab and nothing is said.
void try_save_keytab(const CreatePlan& plan, Context& context) {
  const std::filesystem::path file = plan.folder.parent / (plan.folder.name + ".keytab");
  try {
    files::write_atomic(file, context.service().keytab(plan.folder.team, plan.folder.name), 0600);
    log::info("Saved keytab in " + file.string());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unsupported) {
      log::warning("the keytab of the job is not saved: " + error.text().why +
                   "; get it later with `vdk download-key`");
    }
  }
}

/// Secrets that were typed go to the service and nowhere else; for the others it is said how to set them.
void store_secrets(const CreatePlan& plan, const PluginCreation& made, Context& context) {
  std::vector<std::string> missing = made.wanted_secrets;
  if (!made.secrets.empty()) {
    try {
      control::Service& service = context.service();
      Json secrets = Json::parse(service.get_secrets(plan.folder.team, plan.folder.name));
      for (const auto& [name, value] : made.secrets) {
        secrets[name] = value;
      }
      service.set_secrets(plan.folder.team, plan.folder.name, secrets.dump());
      log::info("Stored " + std::to_string(made.secrets.size()) + " secrets in the control service.");
    } catch (const Error& error) {
      log::warning("the secrets could not be stored: " + error.text().why);
      for (const auto& [name, value] : made.secrets) {
        missing.push_back(name);
      }
    }
  }
  for (const std::string& name : missing) {
    log::info("Before the job runs, set its secret: vdk secrets -n " + plan.folder.name + " -t " +
              text::shell_quote(plan.folder.team) + " --set-prompt " + name);
  }
}

}  // namespace

int run_create(const ParsedCommand& command, Context& context) {
  check_plugin_options(command);
  CreatePlan plan = read_plan(command, context);
  std::optional<PluginCreation> made;
  if (command.has("plugin")) {
    plan.folder.template_name = "sql";  // its config.ini
  }
  if (plan.local) {
    check_folder(plan);
  }
  Json result = {{"job_name", plan.folder.name}, {"team", plan.folder.team}};
  if (command.has("plugin")) {
    made = plan_from_plugin(command, plan.folder.name);
    if (command.has("dry-run")) {
      print(preview(*made, context.json()));
      return 0;
    }
    plan.folder.fill = [&made](const std::filesystem::path& folder) { fill_folder(*made, folder); };
    if (!made->secrets.empty() && !plan.cloud) {
      log::info("The job is registered too, because its secrets are kept by the control service.");
      plan.cloud = true;
    }
    result["plugin"] = {{"name", made->job.task.name}, {"version", made->job.task.version}, {"origin", made->origin}};
  }
  if (plan.cloud) {
    register_job(plan, context);
    result["registered"] = true;
  }
  if (plan.local) {
    const std::filesystem::path folder = job::create(plan.folder);
    log::info("Data Job with name " + plan.folder.name + " created locally in " + folder.string() + ".");
    result["path"] = folder.string();
    if (plan.cloud && context.remote()) {
      try_save_keytab(plan, context);
    }
  }
  if (made) {
    result["missing_secrets"] = made->wanted_secrets;
    store_secrets(plan, *made, context);
  }
  if (context.json()) {
    print(dump_json(result) + "\n");
  }
  return 0;
}

}  // namespace vdk::cli

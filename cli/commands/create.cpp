// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
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

}  // namespace

int run_create(const ParsedCommand& command, Context& context) {
  const CreatePlan plan = read_plan(command, context);
  if (plan.local) {
    check_folder(plan);
  }
  Json result = {{"job_name", plan.folder.name}, {"team", plan.folder.team}};
  if (plan.cloud) {
    try {
      control::DataJob job;
      job.job_name = plan.folder.name;
      job.team = plan.folder.team;
      context.service().create_job(job);
      log::info("Data Job with name " + plan.folder.name + " created and registered by Control Service.");
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::conflict) {
        throw;
      }
      log::warning("Data Job with name " + plan.folder.name + " already exists in cloud runtime.");
    }
    result["registered"] = true;
  }
  if (plan.local) {
    const std::filesystem::path folder = job::create(plan.folder);
    log::info("Data Job with name " + plan.folder.name + " created locally in " + folder.string() + ".");
    result["path"] = folder.string();
  }
  if (context.json()) {
    print(dump_json(result) + "\n");
  }
  return 0;
}

}  // namespace vdk::cli

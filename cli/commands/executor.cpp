// SPDX-License-Identifier: Apache-2.0
// executor init, executor run: the two phases of a plugin's program
#include "vdk/plugin/executor.hpp"

#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/auth/credentials.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"
#include "vdk/job/job.hpp"
#include "vdk/plugin/plugin_job.hpp"

namespace vdk::cli {
namespace {

[[noreturn]] void usage(const std::string& what, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::usage, {what, why, "nothing was written", countermeasures});
}

std::filesystem::path output_folder(const ParsedCommand& command) {
  std::string output;
  for (const std::string& given : command.all("output")) {
    const std::string lower = text::lower(given);
    output = lower == "json" || lower == "text" ? output : given;
  }
  if (output.empty()) {
    usage("cannot prepare an executor", "--output is missing", "give the folder that both phases share");
  }
  return output;
}

std::string unit_name(const ParsedCommand& command) {
  const std::string type = text::lower(command.value_or("type", "task"));
  const std::string name = command.value_or("name", "");
  if (type == "hook" && name.empty()) {
    usage("cannot prepare a hook", "--name is missing", "give the name of the hook with --name");
  }
  return type == "hook" ? name : "";
}

/// What the supervisor of a run hands over: it has asked the service already, and its answer goes through no file.
void read_handed_data(plugin::BootRequest& request) {
  const Json data = Json::parse(read_standard_input(), nullptr, false);
  if (!data.is_object()) {
    usage("cannot read the data of the job", "standard input holds no JSON object", "this option is for vdk itself");
  }
  request.properties_json = data.value("properties", Json::object()).dump();
  request.secrets_json = data.value("secrets", Json::object()).dump();
  request.arguments_json = data.value("arguments", Json::object()).dump();
}

/// Everything from the control service: its sources go into `scratch`.
void fetch(plugin::BootRequest& request, Context& context, const std::filesystem::path& scratch, bool sources) {
  control::Service& service = context.service();
  request.team = context.team_of(request.job_name);
  if (sources) {
    request.sources = job::unpack(service.download(request.team, request.job_name), scratch / "job");
  }
  request.properties_json = service.get_properties(request.team, request.job_name);
  request.secrets_json = service.get_secrets(request.team, request.job_name);
}

std::vector<std::string> names_of(const std::map<std::string, std::string>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    names.push_back(name);
  }
  return names;
}

}  // namespace

int run_executor_init(const ParsedCommand& command, Context& context) {
  auth::protect_memory();
  plugin::BootRequest request;
  request.output = output_folder(command);
  request.unit = unit_name(command);
  request.job_name = command.value_or("job", "");
  if (request.job_name.empty()) {
    usage("cannot prepare an executor", "--job is missing", "give the name of the data job");
  }
  job::validate_name(request.job_name);
  request.now = context.clock()->now();
  const std::string scheduled = command.value_or("scheduled-at", "");
  const auto time = scheduled.empty() ? std::optional(request.now) : parse_time(scheduled);
  if (!time) {
    usage("cannot use --scheduled-at", "'" + scheduled + "' is no time", "write for example 2026-01-31T02:00:00Z");
  }
  request.scheduled = *time;
  request.arguments_json = command.value_or("arguments", "{}");
  const files::TemporaryDirectory scratch({}, "vdk-executor-sources");
  if (const auto folder = command.value("job-path")) {
    request.sources = job::load(*folder).directory;
    request.team = command.value_or("team", "");
  }
  if (command.has("data-stdin")) {
    read_handed_data(request);
  } else {
    fetch(request, context, scratch.path(), request.sources.empty());
  }
  if (!plugin::is_plugin_job(request.sources)) {
    throw Error(ErrorKind::user_code,
                {"cannot prepare an executor for '" + request.job_name + "'",
                 "it was not made from a plugin: it has steps, or no job.yaml", "nothing was written",
                 "run it with `vdk run`, or make a job with `vdk create --plugin`"});
  }
  const plugin::Boot boot = plugin::boot(request);
  if (context.json()) {
    const Json document{{"folder", (request.output / "in").string()},
                        {"assets", boot.assets},
                        {"environment", names_of(boot.environment)},
                        {"secrets", names_of(boot.secrets)},
                        {"image", boot.image}};
    print(dump_json(document) + "\n");
  } else {
    log::info("Wrote " + std::to_string(boot.assets.size()) + " assets, " + std::to_string(boot.environment.size()) +
              " variables and " + std::to_string(boot.secrets.size()) + " secrets to " +
              (request.output / "in").string() + ".");
  }
  return 0;
}

int run_executor_run(const ParsedCommand& command, Context& /*context*/) {
  plugin::exec_entrypoint(output_folder(command), command.has("once"));
}

}  // namespace vdk::cli

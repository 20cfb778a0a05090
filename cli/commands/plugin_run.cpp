// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/plugin_run.hpp"

#include "cli/view/json.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"

namespace vdk::cli {
namespace {

job::Step step_of(const plugin::Unit& unit, const std::filesystem::path& directory) {
  return {unit.name, job::StepKind::program, directory / "job.yaml"};
}

/// The error that the boot step has printed as JSON.
[[noreturn]] void rethrow(const process::Result& result, const std::string& step) {
  const Json document = Json::parse(result.out, nullptr, false);
  if (!document.is_object() || !document.contains("error")) {
    throw Error(ErrorKind::platform,
                {"cannot make '" + step + "' ready", "the boot step ended without a word: " + result.err,
                 "its program was not started", ""});
  }
  const Json& error = document["error"];
  const auto text = [&](const char* key) { return error.value(key, ""); };
  std::optional<SourceLocation> location;
  if (const auto place = error.find("location"); place != error.end()) {
    location = SourceLocation{place->value("file", ""), place->value("line", std::size_t{0}),
                              place->value("column", std::size_t{0}), 1, place->value("text", "")};
  }
  const std::string kind = text("kind");
  const ErrorKind known = kind == "user_code"       ? ErrorKind::user_code
                          : kind == "configuration" ? ErrorKind::configuration
                                                    : ErrorKind::platform;
  throw Error(known, {text("what"), text("why"), text("consequences"), text("countermeasures")}, location);
}

}  // namespace

std::optional<PluginRun> PluginRun::prepare(job::Job& job) {
  if (!job.steps.empty() || !plugin::is_plugin_job(job.directory)) {
    return std::nullopt;
  }
  PluginRun run(plugin::load_plugin_job(job.directory));
  const plugin::PluginJob& made = run.m_plugin_job;
  run.m_directory = job.directory;
  run.m_job_name = job.name;
  for (const plugin::Unit& hook : plugin::ordered_hooks(made, "pre")) {
    job.steps.push_back(step_of(hook, job.directory));
  }
  job.steps.push_back(step_of(made.task, job.directory));
  for (const plugin::Unit& hook : plugin::ordered_hooks(made, "post")) {
    job.steps.push_back(step_of(hook, job.directory));
  }
  for (const plugin::Unit& hook : plugin::ordered_hooks(made, "fail")) {
    run.m_after_failure.push_back(step_of(hook, job.directory));
  }
  if (!made.task.image.empty() && !made.task.entrypoint.script.empty()) {
    log::info("The image " + made.task.image + " is not used: the program of '" + made.task.name +
              "' runs on this machine.");
  }
  return run;
}

void PluginRun::attach(run::RunRequest& request) {
  request.program = [this](const job::Step& step) { return command(step); };
  request.after_failure = m_after_failure;
}

std::string PluginRun::data_json() const {
  const auto read = [](run::KeyValueStore* store) {
    return store == nullptr ? Json::object() : Json::parse(store->read_all());
  };
  Json data;
  data["properties"] = read(m_inputs.properties);
  data["secrets"] = read(m_inputs.secrets);
  data["arguments"] = m_inputs.arguments_json.empty() ? Json::object() : Json::parse(m_inputs.arguments_json);
  return data.dump();
}

void PluginRun::boot(const job::Step& step) {
  m_folder.reset();
  m_folder.emplace(m_inputs.work, "vdk-executor");
  process::Command init;
  init.argv = {files::executable().string(),
               "executor",
               "init",
               "--job",
               m_job_name,
               "--job-path",
               m_directory.string(),
               "--output",
               m_folder->path().string(),
               "--team",
               m_inputs.team,
               "--scheduled-at",
               format_time(m_inputs.scheduled),
               "--data-stdin",
               "-o",
               "json"};
  if (step.name != m_plugin_job.task.name) {
    init.argv.insert(init.argv.end(), {"--type", "hook", "--name", step.name});
  }
  init.input = data_json();
  const process::Result result = process::run(init);
  if (result.exit_code != 0) {
    rethrow(result, step.name);
  }
}

process::Command PluginRun::command(const job::Step& step) {
  boot(step);
  process::Command run;
  run.argv = {files::executable().string(), "executor", "run", "--once", "--output", m_folder->path().string()};
  if (!m_inputs.interpreter.empty()) {
    run.set["PATH"] =
        m_inputs.interpreter.parent_path().string() + ":" + process::environment("PATH").value_or("/usr/bin:/bin");
  }
  return run;
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
// run, and the hidden supervisor of executions of the local target
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/commands/execution_watch.hpp"
#include "cli/commands/plugin_run.hpp"
#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/run_progress.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/control/secrets_key.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"
#include "vdk/run/events.hpp"
#include "vdk/run/log_format.hpp"
#include "vdk/run/run.hpp"
#include "vdk/target/local.hpp"

namespace vdk::cli {
namespace {

enum class Data { properties, secrets };

class ServiceStore final : public run::KeyValueStore {
 public:
  ServiceStore(control::Service& service, std::string team, std::string job, Data data)
      : m_service(service), m_team(std::move(team)), m_job(std::move(job)), m_data(data) {}
  std::string read_all() override {
    return m_data == Data::secrets ? m_service.get_secrets(m_team, m_job) : m_service.get_properties(m_team, m_job);
  }
  void write_all(const std::string& json_object) override {
    m_data == Data::secrets ? m_service.set_secrets(m_team, m_job, json_object)
                            : m_service.set_properties(m_team, m_job, json_object);
  }

 private:
  control::Service& m_service;
  std::string m_team;
  std::string m_job;
  Data m_data;
};

/// The same over REST, asked when somebody asks. A job that the service does not know keeps its values for this run
/// only, as one without a service does.
class RemoteStore final : public run::KeyValueStore {
 public:
  RemoteStore(Context& context, std::string team, std::string job, Data data)
      : m_context(context), m_team(std::move(team)), m_job(std::move(job)), m_data(data) {}

  std::string read_all() override {
    // Secrets are read first of all, to look for settings among them: a service that is away must not hold up a job
    // that has none.
    if (m_data == Data::secrets && !m_asked) {
      m_asked = true;
      const auto service = m_context.impatient_service();
      return with(
          *service, [](ServiceStore& store) { return store.read_all(); }, [this] { return m_own; });
    }
    return with(
        m_context.service(), [](ServiceStore& store) { return store.read_all(); }, [this] { return m_own; });
  }

  void write_all(const std::string& json_object) override {
    const auto keep = [&] {
      log::warning("data job " + m_job + " is not registered in the control service: its " +
                   (m_data == Data::secrets ? "secrets" : "properties") + " are kept for this run only");
      m_own = json_object;
    };
    with(
        m_context.service(), [&](ServiceStore& store) { store.write_all(json_object); }, keep);
  }

 private:
  template <typename There, typename Here>
  auto with(control::Service& service, const There& there, const Here& here) -> decltype(here()) {
    if (!m_unknown) {
      try {
        m_team = !m_team.empty() ? m_team : m_context.given_team();
        m_team = !m_team.empty() ? m_team : m_context.known_team(service, m_job);
        m_unknown = m_team.empty();
        if (!m_unknown) {
          ServiceStore store(service, m_team, m_job, m_data);
          return there(store);
        }
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) {
          throw;
        }
        m_unknown = true;
      }
      log::debug("data job " + m_job + " is not registered in the control service");
    }
    return here();
  }

  Context& m_context;
  std::string m_team;
  std::string m_job;
  Data m_data;
  std::string m_own = "{}";
  bool m_asked = false;
  bool m_unknown = false;
};

/// Properties and secrets of a job that the service knows; both null otherwise.
struct JobData {
  std::unique_ptr<run::KeyValueStore> properties;
  std::unique_ptr<run::KeyValueStore> secrets;
};

bool wants_service(const config::Settings& settings, const char* setting) {
  const std::string kind = text::lower(settings.get(setting));
  return kind.empty() || kind == "default";
}

/// Running an unregistered folder must leave no trace: the service is opened only where its home exists already.
JobData open_data(Context& context, const config::Settings& settings, const std::string& job, const std::string& team) {
  control::take_secrets_key();  // not for the job's code
  JobData data;
  const bool properties = wants_service(settings, "properties_default_type");
  const bool secrets = wants_service(settings, "secrets_default_type");
  if (context.remote()) {
    if (properties) {
      data.properties = std::make_unique<RemoteStore>(context, team, job, Data::properties);
    }
    if (secrets) {
      data.secrets = std::make_unique<RemoteStore>(context, team, job, Data::secrets);
    }
    return data;
  }
  if ((!properties && !secrets) || !std::filesystem::exists(context.home())) {
    return data;
  }
  control::Service& service = context.service();
  std::string owner = team;
  const auto jobs = owner.empty() ? service.list_jobs("", 0) : std::vector<control::JobOverview>{};
  for (const control::JobOverview& overview : jobs) {
    owner = overview.job.job_name == job ? overview.job.team : owner;
  }
  if (owner.empty()) {
    return data;
  }
  if (properties) {
    data.properties = std::make_unique<ServiceStore>(service, owner, job, Data::properties);
  }
  if (secrets) {
    data.secrets = std::make_unique<ServiceStore>(service, owner, job, Data::secrets);
  }
  return data;
}

/// The service is a help here, not a condition: a job runs without it.
JobData try_open_data(Context& context, const config::Settings& settings, const job::Job& job) {
  try {
    return open_data(context, settings, job.name, context.remote() ? job.config.team : "");
  } catch (const Error& error) {
    log::warning(std::string("properties and secrets of the control service are not available: ") + error.what());
    return {};
  }
}

// Wrong arguments are the user's failure of this run (exit 1 and a termination message), not a wrong command line:
// the original does so, and who starts runs by a program reads the termination message.
std::string checked_arguments(const ParsedCommand& command) {
  const std::string given = command.value_or("arguments", "");
  if (given.empty()) {
    return given;
  }
  const Json parsed = Json::parse(given, nullptr, false);
  if (!parsed.is_object() && !parsed.is_array()) {
    throw Error(
        ErrorKind::user_code,
        {"invalid value for '--arguments'", parsed.is_discarded() ? "it is not valid JSON" : "it is not a JSON object",
         "the job was not run", "give an object such as '{\"key\": \"value\"}', quoted for the shell"});
  }
  return given;
}

run::Rerun read_rerun(const ParsedCommand& command) {
  using run::RerunMode;
  const std::vector<std::pair<const char*, RerunMode>> modes{{"full", RerunMode::full},
                                                             {"changed", RerunMode::changed},
                                                             {"from-failed", RerunMode::from_failed},
                                                             {"from", RerunMode::from},
                                                             {"only", RerunMode::only}};
  run::Rerun rerun;
  std::string chosen;
  for (const auto& [name, mode] : modes) {
    if (!command.has(name)) {
      continue;
    }
    if (!chosen.empty()) {
      throw Error(ErrorKind::usage,
                  {"--" + chosen + " and --" + name + " exclude each other", "a run starts in one way",
                   "nothing was run", "give one of --full, --changed, --from-failed, --from, --only"});
    }
    chosen = name;
    rerun.mode = mode;
  }
  if (rerun.mode == RerunMode::from || rerun.mode == RerunMode::only) {
    rerun.step = command.value_or(chosen, "");
  }
  if (command.has("plan") && chosen.empty()) {
    rerun.mode = RerunMode::changed;
  }
  rerun.atomic_steps = command.has("atomic-steps");
  return rerun;
}

void show_plan(const run::Plan& plan, const job::Job& job, Context& context) {
  Json rows = Json::array();
  std::size_t count = 0;
  for (const run::PlannedStep& planned : plan.steps) {
    count += planned.runs ? 1 : 0;
    Json row{{"step", planned.step.name}, {"action", planned.runs ? "run" : "skip"}, {"reason", planned.reason}};
    if (context.json()) {
      row["type"] = job::to_string(planned.step.kind);
      row["cell_id"] = planned.step.cell ? Json(planned.step.cell->id) : Json(nullptr);
    }
    rows.push_back(std::move(row));
  }
  if (context.json()) {
    print(dump_json(Json{{"job", job.name},
                         {"mode", to_string(plan.mode)},
                         {"runs", count},
                         {"restores_names", !plan.snapshot.empty()},
                         {"warnings", plan.warnings},
                         {"steps", rows}}) +
          "\n");
    return;
  }
  for (const std::string& warning : plan.warnings) {
    log::warning(warning);
  }
  print(grid_table(rows));
  log::info(std::to_string(count) + " of " + std::to_string(plan.steps.size()) + " steps would run with --" +
            std::string(to_string(plan.mode)) + ".");
}

/// A notebook that cannot be read is the user's failure of this run, as a step with wrong syntax is.
job::Job load_job(const std::filesystem::path& directory) {
  try {
    return job::load(directory);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::user_code) {
      run::write_termination_file(config::Settings::from_process(directory), "User error");
    }
    throw;
  }
}

/// From here on, to the error that may end this process.
void log_as_json(const std::string& job, const run::Ids& ids) {
  static const SystemClock clock;
  static std::optional<log::Routed> kept;
  kept.emplace(run::json_log(job, ids, clock));
}

run::LogFormat choose_log_format(const ParsedCommand& command, const config::Settings& settings) {
  return run::choose_log_format(command.value_or("log-format", ""), settings);
}

int run_watched(const ParsedCommand& command, Context& context, run::EventStream* events) {
  const run::Rerun rerun = read_rerun(command);
  if (choose_log_format(command, config::Settings::from_process()) == run::LogFormat::json) {
    log_as_json("", {});
  }
  job::Job job = load_job(command.positionals.front());
  const config::Settings settings = config::Settings::from_process(job.directory);
  const run::Ids ids = run::make_ids(settings, *context.clock());
  const run::LogFormat log_format = choose_log_format(command, settings);
  if (log_format == run::LogFormat::json) {
    log_as_json(job.name, ids);
  }
  if (!command.has("debug") && !command.has("verbosity")) {
    run::apply_log_level(settings);
  }
  if (events != nullptr) {
    events->hide(settings);
  }
  std::string arguments;
  try {
    arguments = checked_arguments(command);
  } catch (const Error&) {
    run::write_termination_file(settings, "User error");
    throw;
  }
  for (const std::string& warning : job.config.warnings) {
    log::warning(warning);
  }
  if (!job.ini) {
    log::info("Missing config.ini file.");
  }
  auto plugin = PluginRun::prepare(job);
  std::filesystem::path interpreter;
  const bool python = std::any_of(job.steps.begin(), job.steps.end(), [](const job::Step& step) {
    return step.kind == job::StepKind::python || step.kind == job::StepKind::ingest;
  });
  if (python) {
    std::string warning;
    interpreter = run::choose_interpreter(job, warning);
    if (!warning.empty()) {
      log::warning(warning);
    }
  }
  const JobData data = try_open_data(context, settings, job);
  run::RunRequest request{.job = job,
                          .settings = settings,
                          .arguments_json = arguments,
                          .interpreter = interpreter,
                          .ids = ids,
                          .properties = data.properties.get(),
                          .secrets = data.secrets.get(),
                          .observer = events,
                          .rerun = rerun,
                          .collected_logs = text::upper(settings.get("log_config")) == "CLOUD",
                          .log_format = log_format};
  if (plugin) {
    plugin->set_inputs({.team = job.config.team,
                        .arguments_json = arguments,
                        .scheduled = context.clock()->now(),
                        .properties = data.properties.get(),
                        .secrets = data.secrets.get()});
    plugin->attach(request);
  }
  if (command.has("plan")) {
    const run::Plan plan = run::plan_job(request, *context.clock());
    if (events != nullptr) {
      events->planned(plan);
    }
    show_plan(plan, job, context);
    return 0;
  }
  const run::RunResult result = [&] {
    const StdoutToStderr kept(context.json());
    run::Observers observers;
    std::optional<RunProgress> progress;
    if (can_redraw() && !request.collected_logs && log_format == run::LogFormat::text &&
        settings.get_bool("run_progress")) {
      request.screen = &progress.emplace();
      observers.add(*progress);
      request.observer = &observers;
      if (events != nullptr) {
        observers.add(*events);
      }
    }
    return run::run_job(request, *context.clock());
  }();
  if (context.json()) {
    print(run::result_json(result, job.name) + "\n");
  }
  return result.exit_code;
}

}  // namespace

int run_run(const ParsedCommand& command, Context& context) {
  open_closed_streams();
  if (command.has("debug")) {
    log::set_level(log::Level::debug);
  }
  if (!command.has("events")) {
    return run_watched(command, context, nullptr);
  }
  run::EventStream events(command.value_or("events", ""), *context.clock());
  const log::Routed heard({.format = nullptr, .write = nullptr, .listen = run::listener(events)});
  try {
    return run_watched(command, context, &events);
  } catch (const Error& error) {
    events.refused(error);
    throw;
  } catch (const std::exception& error) {
    events.refused(Error(ErrorKind::internal, {"cannot run the job", error.what(), "", ""}));
    throw;
  }
}

int run_session(const ParsedCommand& command, Context& context) {
  const std::string& which = command.positionals.front();
  if (which == "sdk") {
    print(run::job_sdk_directory().string() + "\n");
    return 0;
  }
  const auto socket = text::parse_int(which);
  const Json given = Json::parse(std::string(std::istreambuf_iterator<char>(std::cin), {}), nullptr, false);
  if (!socket || !given.is_object()) {
    throw Error(ErrorKind::usage, {"cannot serve a Python program", "this command is started by the job SDK only",
                                   "nothing was done", "Use vdk.api.data_job in Python"});
  }
  const std::string directory = given.at("directory");
  job::Job job;
  if (!directory.empty()) {
    job = job::load(directory);
  }
  const std::string name = given.at("name");
  job.name = name.empty() ? job.name : name;
  const auto folder = directory.empty() ? std::nullopt : std::optional(job.directory);
  const config::Settings settings = config::Settings::from_process(folder);
  run::apply_log_level(settings);
  const JobData data = try_open_data(context, settings, job);
  run::serve_job({.job = job,
                  .settings = settings,
                  .arguments_json = given.at("arguments").dump(),
                  .ids = run::make_ids(settings, *context.clock()),
                  .properties = data.properties.get(),
                  .secrets = data.secrets.get()},
                 *context.clock(), static_cast<int>(*socket));
  return 0;
}

int run_supervised_execution(const ParsedCommand& command, Context& context) {
  const std::filesystem::path directory = std::filesystem::absolute(command.positionals.front()).lexically_normal();
  const auto execution = target::begin_local_execution(directory);
  if (!execution) {
    return 0;  // it has been started before
  }
  const TimePoint start = context.clock()->now();
  const auto finish = [&](const std::string& status, const std::string& message) {
    target::finish_local_execution(directory, status, message, start, context.clock()->now());
  };
  try {
    target::confine_local_execution(*execution);
    job::Job job = job::load(execution->job_directory);
    job.name = execution->spec.job_name;  // the folder in the deployment has another name
    const std::string& id = execution->spec.id;
    context.set_home(directory.parent_path().parent_path());
    prepare_execution_environment(context, job.name);
    const config::Settings settings = config::Settings::from_process(
        job.directory,
        {{"execution_id", id}, {"op_id", execution->spec.op_id}, {"attempt_id", id + "-1"}, {"log_config", "CLOUD"}});
    const run::Ids ids = run::make_ids(settings, *context.clock());
    const run::LogFormat log_format = run::choose_log_format("", settings);
    if (log_format == run::LogFormat::json) {
      log_as_json(job.name, ids);
    }
    run::apply_log_level(settings);
    const JobData data = open_data(context, settings, job.name, execution->spec.team);
    ExecutionWatch watch(directory, settings, *context.clock());
    auto plugin = PluginRun::prepare(job);
    run::RunRequest request{.job = job,
                            .settings = settings,
                            .arguments_json = execution->spec.arguments_json,
                            .interpreter = execution->interpreter,
                            .ids = ids,
                            .properties = data.properties.get(),
                            .secrets = data.secrets.get(),
                            .observer = &watch.observer(),
                            .collected_logs = true,
                            .log_format = log_format};
    if (plugin) {
      plugin->set_inputs({.team = execution->spec.team,
                          .arguments_json = execution->spec.arguments_json,
                          .scheduled = parse_time(execution->spec.scheduled_time).value_or(context.clock()->now()),
                          .interpreter = execution->interpreter,
                          .work = directory,
                          .properties = data.properties.get(),
                          .secrets = data.secrets.get()});
      plugin->attach(request);
    }
    const run::RunResult result = run::run_job(request, *context.clock());
    finish(result.termination_status, result.details);
    return result.exit_code;
  } catch (const Error& error) {
    const bool user = error.kind() == ErrorKind::user_code || error.kind() == ErrorKind::configuration;
    log::error(error.what());
    finish(user ? "User error" : "Platform error", error.what());
  } catch (const std::exception& error) {
    log::error(error.what());
    finish("Platform error", error.what());
  }
  return 1;
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/run.hpp"

#include <csignal>
#include <cstdio>

#include "run/ingest.hpp"
#include "run/python_host.hpp"
#include "run/report.hpp"
#include "run/session.hpp"
#include "run/signals.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;

Blamee blamee_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::user_code:
    case ErrorKind::usage:
    case ErrorKind::operation:
      return Blamee::user;
    case ErrorKind::configuration:
      return Blamee::configuration;
    default:
      return Blamee::platform;
  }
}

const char* exception_name_of(Blamee blamee) {
  if (blamee == Blamee::user) {
    return "UserCodeError";
  }
  return blamee == Blamee::configuration ? "VdkConfigurationError" : "PlatformServiceError";
}

Blamee blamee_named(std::string_view name) {
  if (name == "platform") {
    return Blamee::platform;
  }
  return name == "configuration" ? Blamee::configuration : Blamee::user;
}

std::string short_blamee(Blamee blamee) {
  if (blamee == Blamee::user) {
    return "user";
  }
  return blamee == Blamee::configuration ? "configuration" : "platform";
}

std::string error_reply(const Error& error) {
  const Json reply{{"ok", false}, {"blamee", short_blamee(blamee_of(error.kind()))}, {"message", format_error(error)}};
  return reply.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void fail_with(StepResult& step, const Error& error) {
  step.status = StepStatus::error;
  step.blamee = blamee_of(error.kind());
  step.exception_name = exception_name_of(step.blamee);
  step.exception = error.what();
  step.details = format_error(error);
  while (step.details.ends_with('\n')) {
    step.details.pop_back();
  }
}

/// The steps of the job or of a template: what they see as their own.
struct Context {
  int id = 0;
  std::filesystem::path directory;
  Json arguments;
  std::string database;  ///< default one of a template run; empty = the job's
};

class Runner {
 public:
  Runner(const RunRequest& request, const Clock& clock, const LogLines& lines)
      : m_session(request, clock, lines), m_ingester(m_session) {}

  std::vector<StepResult> run_steps(const std::vector<job::Step>& steps, const Context& context);
  void finish();
  [[nodiscard]] int exit_code() const noexcept { return m_exit_code; }
  [[nodiscard]] Session& session() noexcept { return m_session; }

 private:
  StepResult run_step(const job::Step& step, const Context& context);
  void run_sql(const job::Step& step, const Context& context);
  void run_python(const job::Step& step, const Context& context, StepResult& result);
  void host_died(StepResult& result);
  std::string answer(const std::string& line);
  std::string run_template(const Json& request);

  Session m_session;
  Ingester m_ingester;
  std::unique_ptr<PythonHost> m_host;
  int m_exit_code = 0;
};

std::vector<StepResult> Runner::run_steps(const std::vector<job::Step>& steps, const Context& context) {
  std::vector<StepResult> results;
  for (const job::Step& step : steps) {
    if (SignalGuard::received() != 0) {
      break;
    }
    results.push_back(run_step(step, context));
    const StepStatus status = results.back().status;
    if (status == StepStatus::error || status == StepStatus::skip_requested) {
      break;
    }
  }
  return results;
}

StepResult Runner::run_step(const job::Step& step, const Context& context) {
  StepResult result;
  result.name = step.name;
  result.type = job::to_string(step.kind);
  result.start_time = m_session.clock.now();
  if (m_session.request.collected_logs) {
    m_session.lines.info("Entering " + step.name + " ...");
  }
  const long long rows_before = m_ingester.rows_written();
  try {
    if (step.kind == job::StepKind::sql) {
      run_sql(step, context);
    } else {
      run_python(step, context, result);
    }
  } catch (const Error& error) {
    fail_with(result, error);
  } catch (const std::exception& error) {
    fail_with(result, Error(ErrorKind::platform, {"cannot run " + step.name, error.what(), "the job stops here", ""}));
  }
  if (const auto failure = m_ingester.take_failure()) {
    fail_with(result, *failure);
  }
  if (result.status == StepStatus::error && m_exit_code == 0) {
    m_exit_code = 1;
  }
  result.end_time = m_session.clock.now();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(result.end_time - result.start_time);
  const long long rows = m_ingester.rows_written() - rows_before;
  std::string line = step.name + ": " + text::replace_all(std::string(to_string(result.status)), "_", " ");
  line += " (" + std::to_string(took.count()) + " ms";
  line += rows > 0 ? ", " + std::to_string(rows) + " rows ingested)" : ")";
  if (result.status == StepStatus::not_runnable) {
    m_session.lines.warning(line + ": the file has no function run(job_input), nothing was called");
  } else {
    m_session.lines.info(line);
  }
  return result;
}

void Runner::run_sql(const job::Step& step, const Context& context) {
  const std::string content = files::read(step.file);
  if (!text::is_valid_utf8(content)) {
    throw Error(ErrorKind::user_code, {"cannot run " + step.name, "the file is not UTF-8 text",
                                       "the step was not started and the job stops here", "Save the file as UTF-8"});
  }
  const SqlText parts = split_databases(content);
  if (text::trim(parts.sql).empty()) {
    throw Error(ErrorKind::user_code,
                {"cannot run " + step.name, "the file holds no SQL statement",
                 "the step was not started and the job stops here", "Write a statement into it, or remove the file"});
  }
  const Values values = m_session.values(context.arguments);
  const std::string sql = substitute(parts.sql, values);
  std::vector<std::string> names = parts.databases;
  if (names.empty()) {
    names.push_back(context.database);
  }
  for (const std::string& name : names) {
    const auto file = m_session.databases->file(substitute(name, values));
    run_script(m_session.databases->connection(file), sql, step.file.string(), m_session.query_prefix());
  }
}

void Runner::run_python(const job::Step& step, const Context& context, StepResult& result) {
  if (!m_host) {
    std::filesystem::path interpreter = m_session.request.interpreter;
    std::string warning;
    if (interpreter.empty()) {
      interpreter = choose_interpreter(m_session.request.job, warning);
    }
    if (!warning.empty()) {
      m_session.lines.warning(warning);
    }
    std::fflush(stdout);
    m_host = std::make_unique<PythonHost>(interpreter, m_session.host_settings());
  }
  m_host->send(Json{{"cmd", "step"},
                    {"name", step.name},
                    {"file", step.file.string()},
                    {"context", context.id},
                    {"directory", context.directory.string()},
                    {"database", context.database}}
                   .dump());
  while (const auto line = m_host->receive()) {
    if (!line->starts_with("{\"done\"")) {
      const std::string reply = answer(*line);
      if (m_host) {
        m_host->send(reply);
      }
      continue;
    }
    const Json done = Json::parse(*line);
    const std::string status = done.at("done");
    if (status == "success") {
      return;
    }
    if (status != "error") {
      result.status = status == "not_runnable" ? StepStatus::not_runnable : StepStatus::skip_requested;
      return;
    }
    result.status = StepStatus::error;
    result.blamee = blamee_named(done.value("blamee", "user"));
    result.exception_name = done.value("exception_name", "");
    result.exception = done.value("exception", "");
    result.details = done.value("details", "");
    m_exit_code = context.id == 0 ? done.value("exit_code", 1) : m_exit_code;
    return;
  }
  host_died(result);
}

void Runner::host_died(StepResult& result) {
  const PythonHost::End end = m_host->ended();
  m_exit_code = end.exit_code;
  fail_with(result, Error(ErrorKind::user_code,
                          {"cannot finish " + result.name, end.sentence,
                           "rows and other work that the step had not finished are lost, and the job stops here",
                           "Look at what the step printed last; end a step with an exception, not with the process"}));
}

std::string Runner::answer(const std::string& line) {
  try {
    if (line.starts_with("{\"req\":\"ingest\"")) {
      m_ingester.accept(line);
      return "{\"ok\": true}";
    }
    const Json request = Json::parse(line);
    const std::string kind = request.at("req");
    if (kind == "template") {
      return run_template(request);
    }
    KeyValueStore& store = m_session.store(request.at("store"));
    if (request.at("op") == "read") {
      return "{\"ok\": true, \"value\": " + Json::parse(store.read_all()).dump() + "}";
    }
    store.write_all(request.at("value").dump());
    return "{\"ok\": true}";
  } catch (const Error& error) {
    return error_reply(error);
  } catch (const std::exception& error) {
    return error_reply(Error(ErrorKind::platform, {"cannot answer a request of the step", error.what(), "", ""}));
  }
}

std::string Runner::run_template(const Json& request) {
  const std::string name = request.at("name");
  const std::filesystem::path root = files::share_directory() / "templates";
  const bool is_plain = name.find("..") == std::string::npos && name.starts_with("load/");
  if (!is_plain || !std::filesystem::is_directory(root / name)) {
    throw Error(ErrorKind::user_code, {"cannot run the template '" + name + "'", "there is no template of that name",
                                       "the step fails unless it catches the error",
                                       "Check the name; the templates are the folders in " + (root / "load").string()});
  }
  Context context;
  context.id = request.at("context");
  context.directory = root / name;
  context.arguments = request.at("args");
  context.database = request.at("database").is_string() ? request.at("database").get<std::string>() : std::string();
  const std::vector<StepResult> steps = run_steps(job::find_steps(context.directory), context);
  m_exit_code = 0;  // the calling step decides what the failure of a template means
  const bool failed = !steps.empty() && steps.back().status == StepStatus::error;
  Json list = Json::array();
  for (const StepResult& step : steps) {
    list.push_back(Json{{"name", step.name}, {"status", to_string(step.status)}});
  }
  Json value{{"status", failed ? "error" : "success"}, {"steps", list}};
  if (failed) {
    value["blamee"] = short_blamee(steps.back().blamee);
    value["message"] = steps.back().details.empty() ? steps.back().exception : steps.back().details;
  }
  return Json{{"ok", true}, {"value", value}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Runner::finish() {
  if (m_host) {
    m_host->finish();
  }
  for (const std::string& file : m_session.databases->close()) {
    m_session.lines.warning("a .sql step left a transaction open in '" + file + "': it was rolled back");
  }
}

void conclude(RunResult& result) {
  if (!result.steps.empty() && result.steps.back().status == StepStatus::error) {
    const StepResult& step = result.steps.back();
    result.success = false;
    result.blamee = step.blamee;
    result.details = step.exception_name + ": " + step.exception;
  }
  if (const int number = SignalGuard::received(); number != 0) {
    result.success = false;
    result.exit_code = 128 + number;
    result.blamee = Blamee::user;
    result.details = number == SIGINT ? "the run was interrupted" : "the run was asked to end (SIGTERM)";
  }
  if (result.success) {
    result.termination_status = "Success";
  } else {
    result.termination_status = result.blamee == Blamee::user ? "User error" : "Platform error";
    result.exit_code = result.exit_code == 0 ? 1 : result.exit_code;
  }
}

void fail_run(RunResult& result, const Error& error) {
  result.success = false;
  result.blamee = blamee_of(error.kind());
  result.details = format_error(error);
  while (result.details.ends_with('\n')) {
    result.details.pop_back();
  }
}

}  // namespace

RunResult run_job(const RunRequest& request, const Clock& clock) {
  const SignalGuard signals;
  const LogLines lines(request.job.name, request.ids.attempt_id, request.collected_logs, clock);
  RunResult result;
  result.execution_id = request.ids.execution_id;
  result.start_time = clock.now();
  bool full = false;
  try {
    full = request.settings.get_bool("log_execution_result");
    if (request.job.steps.empty()) {
      throw Error(ErrorKind::user_code, {"cannot run " + request.job.name, "Data Job has no steps", "nothing was run",
                                         "Add a file that ends with .sql or .py to " + request.job.directory.string()});
    }
    Runner runner(request, clock, lines);
    result.steps = runner.run_steps(request.job.steps,
                                    Context{0, request.job.directory, runner.session().arguments, std::string()});
    result.exit_code = runner.exit_code();
    runner.finish();
  } catch (const Error& error) {
    fail_run(result, error);
  } catch (const std::exception& error) {
    fail_run(result, Error(ErrorKind::platform, {"cannot run " + request.job.name, error.what(), "", ""}));
  }
  conclude(result);
  result.end_time = clock.now();
  report(result, request, lines, full);
  return result;
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/runner.hpp"

#include <cstdio>

#include "run/process/program.hpp"
#include "run/process/signals.hpp"
#include "run/python/plugins.hpp"
#include "run/python/text.hpp"
#include "run/report/report.hpp"
#include "run/sql/form.hpp"
#include "run/step_failure.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

Observer& nobody() {
  static Observer observer;
  return observer;
}

Observer& observer_of(const RunRequest& request) { return request.observer != nullptr ? *request.observer : nobody(); }

std::string error_reply(const Error& error) {
  const nlohmann::ordered_json reply{
      {"ok", false}, {"blamee", short_blamee(blamee_of(error.kind()))}, {"message", spoken(error)}};
  return reply.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Runner::Runner(Session& session) : m_session(session), m_ingester(m_session) {}

bool Runner::restore(const std::filesystem::path& snapshot, std::string& why) {
  try {
    find_plugins();
    start_host();
    const Json done = converse(Json{{"cmd", "restore"},
                                    {"snapshot", snapshot.string()},
                                    {"context", 0},
                                    {"directory", m_session.request.job.directory.string()},
                                    {"database", ""}});
    if (!done.is_null() && done.at("done") == "restored") {
      return true;
    }
    why = done.is_null() ? "the Python process ended" : done.value("why", "");
  } catch (const Error& error) {
    why = error.what();
  }
  m_host.reset();
  m_plugins = nullptr;
  return false;
}

std::vector<StepResult> Runner::run(const Plan& plan) {
  find_plugins();
  std::vector<const job::Step*> steps;
  for (const PlannedStep& planned : plan.steps) {
    if (planned.runs) {
      steps.push_back(&planned.step);
    }
  }
  const Context context{0, 0, m_session.request.job.directory, m_session.arguments, std::string()};
  std::vector<StepResult> results = run_steps(steps, context);
  if (!results.empty() && results.back().status == StepStatus::error) {
    for (const job::Step& step : m_session.request.after_failure) {
      const std::vector<StepResult> more = run_steps({&step}, context);
      results.insert(results.end(), more.begin(), more.end());
    }
  }
  return results;
}

std::vector<StepResult> Runner::run_steps(const std::vector<const job::Step*>& steps, const Context& context) {
  std::vector<StepResult> results;
  for (const job::Step* step : steps) {
    if (SignalGuard::received() != 0) {
      break;
    }
    const StepStart start{*step, context.depth, results.size() + 1, steps.size(), m_session.clock.now()};
    results.push_back(run_step(start, context));
    const StepStatus status = results.back().status;
    if (is_failure(status) || status == StepStatus::skip_requested) {
      break;
    }
  }
  return results;
}

StepResult Runner::run_step(const StepStart& start, const Context& context) {
  Observer& observer = observer_of(m_session.request);
  observer.step_started(start);
  std::string step_before = m_session.lines.set_step(start.step.name);
  StepResult result;
  result.name = start.step.name;
  result.type = job::to_string(start.step.kind);
  result.start_time = start.time;
  result.file = start.step.file;
  if (start.step.cell) {
    result.cell_id = start.step.cell->id;
    result.cell_number = start.step.cell->number;
  }
  if (m_session.request.collected_logs) {
    m_session.lines.info("Entering " + result.name + " ...");
  }
  if (context.depth == 0) {
    m_session.step = start.step.name;
  }
  const long long rows_before = m_ingester.rows_written();
  const bool recorded = m_recorder != nullptr && context.depth == 0 && m_recorder->knows(start.step);
  try {
    if (recorded) {
      m_asked = {};
      m_recorder->begin(start.step);
    }
    execute(start.step, context, result);
  } catch (const Error& error) {
    fail_with(result, error);
  } catch (const std::exception& error) {
    fail_with(result,
              Error(ErrorKind::platform, {"cannot run " + result.name, error.what(), "the job stops here", ""}));
  }
  if (const auto failure = m_ingester.take_failure()) {
    fail_with(result, *failure);
  }
  if (result.status == StepStatus::error && SignalGuard::received() != 0) {
    mark_cancelled(result, SignalGuard::received());
  }
  if (is_failure(result.status) && m_exit_code == 0) {
    m_exit_code = 1;
  }
  result.rows = m_ingester.rows_written() - rows_before;
  result.end_time = m_session.clock.now();
  if (recorded) {
    m_recorder->end(result, m_asked);
  }
  if (m_session.relay != nullptr) {
    m_session.relay->drain();
  }
  log_end(result);
  (void)m_session.lines.set_step(std::move(step_before));
  observer.step_ended(result, context.depth);
  return result;
}

void Runner::log_end(const StepResult& result) const {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(result.end_time - result.start_time);
  std::string line = result.name + ": " + text::replace_all(std::string(to_string(result.status)), "_", " ");
  line += " (" + std::to_string(took.count()) + " ms";
  line += result.rows > 0 ? ", " + rows_ingested(result.rows) + ")" : ")";
  if (result.status == StepStatus::not_runnable) {
    m_session.lines.warning(line + ": the file has no function run(job_input), nothing was called");
  } else {
    m_session.lines.info(line);
  }
}

void Runner::execute(const job::Step& step, const Context& context, StepResult& result) {
  if (step.kind == job::StepKind::sql) {
    run_sql(step, context, result);
  } else if (step.kind == job::StepKind::program) {
    run_program(step, result);
  } else {
    run_python(step, context, result);
  }
}

void Runner::run_sql(const job::Step& step, const Context& context, StepResult& result) {
  const std::string content = step.cell ? step.cell->source : files::read(step.file);
  const std::string place = step.cell ? (step.file.parent_path() / job::place_of(step)).string() : step.file.string();
  if (!text::is_valid_utf8(content)) {
    throw Error(ErrorKind::user_code, {"cannot run " + step.name, "the file is not UTF-8 text",
                                       "the step was not started and the job stops here", "Save the file as UTF-8"});
  }
  const SqlText parts = split_databases(content);
  if (text::trim(parts.sql).empty()) {
    throw Error(ErrorKind::user_code,
                {"cannot run " + job::place_of(step),
                 step.cell ? "the cell holds no SQL statement" : "the file holds no SQL statement",
                 "the step was not started and the job stops here", "Write a statement into it, or remove the file"});
  }
  const std::set<std::string> asked = placeholders(content);
  m_asked.properties.insert(asked.begin(), asked.end());
  if (context.depth == 0) {
    m_asked.arguments.insert(asked.begin(), asked.end());
  }
  const Values values = m_session.values(context.arguments);
  const std::string sql = substitute(parts.sql, values);
  std::vector<std::string> names = parts.databases;
  if (names.empty()) {
    names.push_back(context.database);
  }
  for (const std::string& name : names) {
    const std::string database = substitute(name, values);
    const auto native = [&] {
      Database& found = m_session.databases->find(database);
      if (m_session.request.observer != nullptr) {
        found.on_statement = [this](std::size_t number, std::size_t count) { say_progress(number, count); };
      }
      const std::unique_ptr<Database, void (*)(Database*)> told(&found,
                                                                [](Database* of) { of->on_statement = nullptr; });
      found.run_script(sql, place, m_session.query_prefix());
    };
    if (!run_sql_by_plugins(step, context, {database, sql, place, native}, result)) {
      native();
    }
    if (!plugin_database(database).empty()) {
      m_session.databases->note_state("what a database of a plugin holds is not known");
    }
    if (result.status == StepStatus::error) {
      return;
    }
  }
}

void Runner::say_progress(std::size_t number, std::size_t count) const {
  std::string text = "statement " + std::to_string(number);
  if (count >= number) {
    text += " of " + std::to_string(count);
  }
  observer_of(m_session.request).progress(text);
}

void Runner::run_program(const job::Step& step, StepResult& result) {
  if (!m_session.request.program) {
    throw Error(ErrorKind::internal, {"cannot run " + step.name, "nobody knows its program", "the job stops here", ""});
  }
  const ProgramEnd end = run::run_program(m_session.request.program(step));
  if (end.exit_code == 0) {
    return;
  }
  m_exit_code = m_exit_code == 0 ? end.exit_code : m_exit_code;
  fail_with(result, Error(ErrorKind::user_code, {"cannot finish " + step.name, end.sentence, "the job stops here",
                                                 "Look at what the program printed last"}));
}

void Runner::start_host() {
  if (m_host) {
    return;
  }
  std::filesystem::path interpreter = m_session.request.interpreter;
  std::string warning;
  if (interpreter.empty()) {
    interpreter = choose_interpreter(m_session.request.job, warning);
  }
  if (!warning.empty()) {
    m_session.lines.warning(warning);
  }
  std::fflush(stdout);
  const bool plugins = plugins_possible(interpreter);
  m_host = std::make_unique<PythonHost>(interpreter, m_session.host_settings(plugins));
  if (plugins) {
    ask_plugins();
  }
}

Runner::Json Runner::converse(const Json& message) {
  m_host->send(message.dump());
  while (const auto line = m_host->receive()) {
    if (line->starts_with("{\"done\"")) {
      return Json::parse(*line);
    }
    m_host->send(answer(*line));
  }
  return {};
}

void Runner::run_python(const job::Step& step, const Context& context, StepResult& result) {
  start_host();
  Json message{{"cmd", "step"},
               {"name", step.name},
               {"file", step.file.string()},
               {"context", context.id},
               {"directory", context.directory.string()},
               {"database", context.database}};
  if (step.cell) {
    message["cell"] = Json{{"kind", job::to_string(step.kind)},
                           {"number", step.cell->number},
                           {"label", job::place_of(step)},
                           {"source", step.cell->source}};
  }
  if (m_recorder != nullptr && context.depth == 0) {
    message["snapshot"] = m_recorder->snapshot().string();
    message["snapshot_limit"] = text::parse_int(m_session.setting("run_snapshot_limit_mb")).value_or(256) * (1LL << 20);
  }
  const Json done = converse(message);
  if (context.depth == 0) {
    m_asked.host = done.is_object() && done.contains("state") ? done.at("state") : Json();
  }
  take_outcome(done, context, result);
}

void Runner::take_outcome(const Json& done, const Context& context, StepResult& result) {
  if (done.is_null()) {
    host_died(result);
    return;
  }
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
  const Json line = done.value("line", Json());
  result.line = line.is_number() ? line.get<std::size_t>() : 0;
  m_exit_code = context.id == 0 ? done.value("exit_code", 1) : m_exit_code;
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
    if (kind == "configuration") {
      return Json{{"ok", true}, {"value", plugin_configuration(m_session)}}.dump();
    }
    if (kind == "database") {
      return m_session.databases->find(request.at("database").get<std::string>()).answer(request, m_host->socket());
    }
    if (kind == "cancel") {  // what was to be given up is over
      return "{\"ok\": true}";
    }
    if (kind == "native_sql") {
      run_native_sql();
      return "{\"ok\": true}";
    }
    KeyValueStore& store = m_session.store(request.at("store"));
    const bool secrets = request.at("store") == "secrets";
    if (request.at("op") == "read") {
      const Json all = read_exact(store.read_all());
      if (secrets) {
        m_session.hide(all);
      }
      return "{\"ok\": true, \"value\": " + dump_exact(all) + "}";
    }
    const std::string value = request.at("text");  // as text, which keeps the digits of large numbers
    if (secrets) {
      m_session.hide(read_exact(value));
    }
    if (m_recorder != nullptr) {
      m_recorder->writes_values(request.at("store"), value);
    }
    store.write_all(value);
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
  const std::filesystem::path folder = request.contains("directory")  // registered by a plugin
                                           ? std::filesystem::path(request.at("directory").get<std::string>())
                                           : (is_plain ? root / name : std::filesystem::path());
  const std::vector<job::Step> found =
      std::filesystem::is_directory(folder) ? job::find_steps(folder) : std::vector<job::Step>();
  if (found.empty() && !request.contains("directory")) {
    throw Error(ErrorKind::user_code,
                {"cannot run the template '" + name + "'", "there is no template of that name",
                 "the step fails unless it catches the error",
                 "Check the name; there are scd1, scd1_upsert, scd2, scd2_simple, insert and periodic_snapshot"});
  }
  Context context;
  context.id = request.at("context");
  context.directory = folder;
  context.arguments = request.at("args");
  context.database = request.at("database").is_string() ? request.at("database").get<std::string>() : std::string();
  context.depth = ++m_depth;
  std::vector<const job::Step*> chosen;
  for (const job::Step& step : found) {
    chosen.push_back(&step);
  }
  const TimePoint start = m_session.clock.now();
  const std::vector<StepResult> steps = run_steps(chosen, context);
  --m_depth;
  m_exit_code = 0;  // the calling step decides what the failure of a template means
  const bool failed = !steps.empty() && is_failure(steps.back().status);
  Json list = Json::array();
  for (const StepResult& step : steps) {
    list.push_back(Json{{"name", step.name},
                        {"type", step.type},
                        {"start_time", format_time(step.start_time)},
                        {"end_time", format_time(step.end_time)},
                        {"status", to_string(step.status)}});
  }
  Json value{{"status", failed ? "error" : "success"},
             {"steps", list},
             {"start_time", format_time(start)},
             {"end_time", format_time(m_session.clock.now())}};
  if (failed) {
    value["blamee"] = short_blamee(steps.back().blamee);
    value["message"] = steps.back().details.empty() ? steps.back().exception : steps.back().details;
  }
  return Json{{"ok", true}, {"value", value}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Runner::serve(int socket) {
  m_host = std::make_unique<PythonHost>(socket, m_session.host_settings(plugins_wanted()));
  while (const auto line = m_host->receive()) {
    m_host->send(answer(*line));
    (void)m_ingester.take_failure();  // told in the answer; no step carries it on
  }
}

void Runner::finish() {
  if (m_host) {
    m_host->finish();
  }
  for (const std::string& database : m_session.databases->close(m_recorder != nullptr)) {
    m_session.lines.warning("a step left a transaction open in '" + database + "': it was rolled back");
  }
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
// The parts of a run that Python plugins take: their databases in SQL steps, hooks around steps, the end of the job.
#include <array>
#include <fstream>

#include "run/process/signals.hpp"
#include "run/python/plugins.hpp"
#include "run/runner.hpp"
#include "run/step_failure.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

/// Interpreters that the job may get, without starting one.
std::vector<std::filesystem::path> likely_interpreters(const RunRequest& request) {
  if (!request.interpreter.empty()) {
    return {request.interpreter};
  }
  std::vector<std::string> names{"python3"};
  if (const auto chosen = process::environment("VDK_PYTHON"); chosen && !chosen->empty()) {
    names = {*chosen};
  } else if (const auto parts = text::split(request.job.config.python_version, '.'); parts.size() > 1) {
    names.push_back("python" + parts[0] + "." + parts[1]);
  }
  std::vector<std::filesystem::path> found;
  for (const std::string& name : names) {
    if (name.find('/') != std::string::npos) {
      found.emplace_back(name);
    } else if (const auto path = process::find_program(name)) {
      found.push_back(*path);
    }
  }
  return found;
}

}  // namespace

bool Runner::plugins_wanted() const { return m_session.flag("python_plugins", true); }

bool Runner::plugins_possible(const std::filesystem::path& interpreter) const {
  if (!plugins_wanted()) {
    return false;
  }
  // A version manager's shim is a script; where its Python looks is not known from outside.
  std::array<char, 2> start{};
  std::ifstream(interpreter, std::ios::binary).read(start.data(), start.size());
  const bool script = start[0] == '#' && start[1] == '!';
  return script || process::environment("PYTHONUSERBASE").has_value() || python_plugins_installed(interpreter);
}

void Runner::find_plugins() {
  if (!plugins_wanted()) {
    return;
  }
  for (const auto& interpreter : likely_interpreters(m_session.request)) {
    if (python_plugins_installed(interpreter)) {
      start_host();
      return;
    }
  }
}

void Runner::ask_plugins() {
  const Json done = converse({{"cmd", "plugins"}});
  throw_if_failed(done, "cannot start the Python plugins of this job");
  m_plugins = done;
  for (const Json& name : done.value("stores", Json::array())) {
    const std::string which = name.get<std::string>();
    m_host_stores.push_back(
        std::make_unique<HostStore>(which, [this](const Json& message) { return converse(message); }));
    m_session.replace_store(which, *m_host_stores.back());
  }
}

std::string Runner::plugin_database(const std::string& name) {
  std::string wanted = text::lower(name);
  if (wanted.empty()) {
    const Json chosen = m_plugins.is_null() ? Json() : m_plugins.value("default_database", Json());
    wanted = chosen.is_string() ? chosen.get<std::string>() : text::lower(m_session.databases->default_name());
  }
  const bool own = m_session.databases->has(wanted);
  if (!own && plugins_wanted()) {
    try {
      start_host();  // the interpreter may know more than can be seen from outside
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) {
        throw;
      }
    }
  }
  const Json known = m_plugins.is_null() ? Json() : m_plugins.value("databases", Json::array());
  for (const Json& one : known) {
    if (one == wanted) {
      return wanted;
    }
  }
  if (!own && !known.empty()) {
    std::vector<std::string> names = known.get<std::vector<std::string>>();
    for (const std::string& one : m_session.databases->names()) {
      names.push_back(one);
    }
    throw Error(ErrorKind::configuration,
                {"cannot connect to database '" + wanted + "'",
                 "neither vdk nor a plugin has a database of that name; known: " + text::quoted_list(names),
                 "the step cannot run and the job stops here", "Correct db_default_type, or install its plugin"});
  }
  return {};
}

bool Runner::run_sql_by_plugins(const job::Step& step, const Context& context, const SqlWork& work,
                                StepResult& result) {
  const std::string database = plugin_database(work.database);
  const bool hooks = !m_plugins.is_null() && m_plugins.value("run_step", false);
  if (database.empty() && !hooks) {
    return false;
  }
  Json message{{"cmd", "sql"},          {"name", step.name},
               {"kind", "sql"},         {"file", step.file.string()},
               {"context", context.id}, {"directory", context.directory.string()},
               {"database", database}};
  if (!database.empty()) {
    message["script"] = work.sql;
    message["place"] = work.place;
  }
  m_native_sql = work.native;
  m_native_failure.reset();
  const Json done = converse(message);
  m_native_sql = nullptr;
  take_outcome(done, context, result);
  if (result.status == StepStatus::error && m_native_failure) {
    fail_with(result, *m_native_failure);
  }
  return true;
}

void Runner::run_native_sql() {
  try {
    m_native_sql();
  } catch (const Error& error) {
    m_native_failure = error;
    throw;
  }
}

void Runner::finish_plugins(RunResult& result) {
  if (m_plugins.is_null() || m_plugins.value("names", Json::array()).empty() || SignalGuard::received() != 0) {
    return;
  }
  const bool failed = !result.steps.empty() && is_failure(result.steps.back().status);
  Json message{{"cmd", "finalize"}, {"exit_code", failed ? std::max(m_exit_code, 1) : 0}};
  if (failed) {
    message["blamee"] = short_blamee(result.steps.back().blamee);
    message["message"] = result.steps.back().exception;
  }
  const Json done = converse(message);
  if (done.is_null()) {
    return;  // a step ended the process, and the result says so
  }
  result.handled = done.value("handled", false);
  if (done.at("done") == "error") {
    result.success = false;
    result.exit_code = 1;
    result.blamee = blamee_named(done.value("blamee", "platform"));
    result.details = "a Python plugin failed at the end of the job: " + done.value("exception_name", "") + ": " +
                     done.value("exception", "");
    m_session.lines.error(result.details);
  }
}

}  // namespace vdk::run

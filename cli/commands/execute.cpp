// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/records.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

using namespace std::chrono_literals;

struct ExecuteRequest {
  std::string job;
  std::string team;
  std::string id;
  std::string arguments = "{}";
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

std::string options_of(const ExecuteRequest& request) {
  return "-n " + text::shell_quote(request.job) + " -t " + text::shell_quote(request.team) + " -i " +
         text::shell_quote(request.id);
}

/// While it lives, Ctrl-C ends a Pause, which tells how to go on. SIGTERM comes from no person who could read that.
class CtrlC {
 public:
  CtrlC() { std::signal(SIGTERM, SIG_DFL); }

 private:
  const Interruption m_interruption;
};

/// Grows from 50 ms to 1 s, so that short jobs feel immediate and long ones cost nothing; from 0.5 s to 2 s where every
/// look is a request to a server that others use too.
class Pause {
 public:
  Pause(const ExecuteRequest& request, const Context& context)
      : m_request(request), m_next(context.remote() ? 500ms : 50ms), m_longest(context.remote() ? 2000ms : 1000ms) {}
  void rest() {
    if (m_request.deadline && std::chrono::steady_clock::now() >= *m_request.deadline) {
      throw Error(ErrorKind::timeout,
                  {"gave up waiting for execution " + m_request.id, "it did not end within the time of --timeout",
                   "the execution goes on",
                   "look again with `vdk execute -n " + m_request.job + " --wait -i " + m_request.id + "`"});
    }
    const auto until = std::chrono::steady_clock::now() + m_next;
    while (!*Interruption::flag() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::min(m_next, 50ms));
    }
    if (*Interruption::flag()) {
      const std::string command = "vdk execute " + options_of(m_request);
      throw Error(ErrorKind::interrupted,
                  {"stopped waiting for execution " + m_request.id, "Ctrl-C", "the execution goes on",
                   "wait for it again with `" + command + " --wait`, see its log with `" + command +
                       " --logs --follow`, or stop it with `" + command + " --cancel`"});
    }
    m_next = std::min(m_next * 3 / 2, m_longest);
  }

 private:
  const ExecuteRequest& m_request;
  std::chrono::milliseconds m_next;
  std::chrono::milliseconds m_longest;
};

ExecuteRequest read_request(const ParsedCommand& command, Context& context) {
  ExecuteRequest request;
  request.job = context.job_name();
  request.id = command.value_or("execution-id", "");
  if (const std::string given = command.value_or("arguments", ""); !given.empty()) {
    if (!parse_json(given, "invalid value for '--arguments'", "the value").is_object()) {
      throw Error(ErrorKind::usage, {"invalid value for '--arguments'", "it is not a JSON object",
                                     "no execution was started", "give an object such as '{\"key\": \"value\"}'"});
    }
    request.arguments = given;
  }
  if (const auto given = command.value("timeout")) {
    const auto seconds = text::parse_int(*given);
    if (!seconds || *seconds < 1) {
      throw Error(ErrorKind::usage, {"invalid value for '--timeout'", "'" + *given + "' is not a positive number",
                                     "nothing was done", "give whole seconds, for example --timeout 600"});
    }
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(*seconds);
  }
  request.team = context.team_of(request.job);
  return request;
}

/// Fill in the newest execution where no id is given; false when there is none.
bool find_newest(ExecuteRequest& request, control::Service& service) {
  if (request.id.empty()) {
    const auto executions = service.list_executions(request.team, request.job, {});
    if (executions.empty()) {
      return false;
    }
    request.id = executions.front().id;
  }
  return true;
}

void require_newest(ExecuteRequest& request, control::Service& service) {
  if (!find_newest(request, service)) {
    throw Error(ErrorKind::not_found,
                {"data job " + request.job + " has no executions", "it has never been started",
                 "there is nothing to show", "start it with `vdk execute -n " + request.job + " --start`"});
  }
}

Json start(ExecuteRequest& request, Context& context, bool quiet) {
  request.id = context.service(Interpreters::needed)
                   .start_execution(request.team, request.job, "manual/vdk-control-cli", request.arguments);
  Json record;
  record["job_name"] = request.job;
  record["team"] = request.team;
  record["execution_id"] = request.id;
  if (!quiet) {
    const std::string options = options_of(request);
    print("Execution with id " + request.id + " of data job " + request.job +
          " was started.\nSee its state with:\n    vdk execute " + options +
          " --show\nSee its log with:\n    vdk execute " + options + " --logs\n");
  }
  return record;
}

control::Execution wait_for_end(ExecuteRequest& request, Context& context) {
  control::Service& service = context.service();
  ProgressLine progress(!context.json());
  Pause pause(request, context);
  while (true) {
    control::Execution execution = service.get_execution(request.team, request.job, request.id);
    if (control::is_final(execution.status)) {
      return execution;
    }
    progress.update("execution " + request.id + ": " + std::string(to_string(execution.status)) +
                    (execution.message.empty() ? "" : ", " + execution.message));
    pause.rest();
  }
}

void print_logs(ExecuteRequest& request, Context& context, bool follow) {
  control::Service& service = context.service();
  std::size_t shown = 0;
  Pause pause(request, context);
  while (true) {
    // The state is read first: what is logged before the end is then always printed.
    const bool over = !follow || control::is_final(service.get_execution(request.team, request.job, request.id).status);
    const std::string log = service.execution_logs(request.team, request.job, request.id, 0);
    if (log.size() > shown) {
      print(std::string_view(log).substr(shown));
      shown = log.size();
    }
    if (over) {
      return;
    }
    pause.rest();
  }
}

int report_end(const control::Execution& execution, const std::optional<Json>& started, const Context& context) {
  const std::string status(to_string(execution.status));
  if (context.json()) {
    Json record = execution_row(execution);
    if (started) {
      record = *started;
      record["status"] = status;
      record["message"] = execution.message;
    }
    print(dump_json(record) + "\n");
  } else {
    log::info("Execution " + execution.id + " ended: " + status +
              (execution.message.empty() || execution.message == status ? "" : " (" + execution.message + ")"));
  }
  return execution.status == control::ExecutionStatus::succeeded ? 0 : 1;
}

int start_and_wait(const ParsedCommand& command, Context& context, ExecuteRequest& request) {
  const bool follow = command.has("logs");
  std::optional<Json> started;
  std::optional<CtrlC> ctrl_c;
  if (command.has("wait") || follow) {
    ctrl_c.emplace();  // before the start: once the job runs, whoever goes away is told that it goes on
  }
  if (command.has("start")) {
    started = start(request, context, context.json());
    if (!command.has("wait") && !follow) {
      if (context.json()) {
        print(dump_json(*started) + "\n");
      }
      return 0;
    }
  }
  require_newest(request, context.service());
  if (follow && !context.json()) {
    print_logs(request, context, true);
  }
  return report_end(wait_for_end(request, context), started, context);
}

int show_logs(const ParsedCommand& command, Context& context, ExecuteRequest& request) {
  control::Service& service = context.service();
  if (!find_newest(request, service)) {
    log::info("No executions found.");
    if (context.json()) {
      print(dump_json({{"logs", ""}}) + "\n");
    }
    return 0;
  }
  std::optional<CtrlC> ctrl_c;
  if (command.has("follow")) {
    ctrl_c.emplace();
  }
  if (!context.json()) {
    print_logs(request, context, command.has("follow"));
    return 0;
  }
  if (command.has("follow")) {
    (void)wait_for_end(request, context);
  }
  Json record;
  record["execution_id"] = request.id;
  record["logs"] = service.execution_logs(request.team, request.job, request.id, 0);
  print(dump_json(record) + "\n");
  return 0;
}

int cancel(Context& context, ExecuteRequest& request) {
  if (request.id.empty()) {
    request.id = prompt("Job Execution ID", "--execution-id");
  }
  if (!context.json()) {
    print("Cancelling data job execution. Might take some time...\n");
  }
  context.service().cancel_execution(request.team, request.job, request.id);
  print(context.json()
            ? dump_json({{"job_name", request.job}, {"execution_id", request.id}, {"status", "cancelled"}}) + "\n"
            : std::string("Job cancelled successfully.\n"));
  return 0;
}

/// --start, --wait and --logs go together; every other operation stands alone. Anything else would leave one of the
/// operations silently undone.
void check_operations(const ParsedCommand& command) {
  std::vector<std::string> given;
  bool alone = false;
  for (const char* operation : {"start", "wait", "logs", "cancel", "show", "list"}) {
    if (command.has(operation)) {
      given.push_back(std::string("--") + operation);
      alone = alone || given.back() == "--cancel" || given.back() == "--show" || given.back() == "--list";
    }
  }
  if (alone && given.size() > 1) {
    throw Error(ErrorKind::usage, {"cannot use " + text::join(given, " together with "),
                                   "they ask for different operations", "nothing was started, changed or shown",
                                   "give one of them; --start, --wait and --logs may be combined"});
  }
}

}  // namespace

int run_execute(const ParsedCommand& command, Context& context) {
  check_operations(command);
  const char* operations[] = {"start", "cancel", "wait", "show", "list", "logs"};
  if (std::none_of(std::begin(operations), std::end(operations), [&](const char* o) { return command.has(o); })) {
    const std::string text =
        "No execute operation specified. Please specify one of: ['--start', '--cancel', '--wait', '--show', '--list', "
        "'--logs']";
    context.json() ? print(dump_json({{"message", text}}) + "\n") : print(text + "\n");
    return 0;
  }
  ExecuteRequest request = read_request(command, context);
  if (command.has("start") || command.has("wait")) {
    return start_and_wait(command, context, request);
  }
  if (command.has("cancel")) {
    return cancel(context, request);
  }
  if (command.has("logs")) {
    return show_logs(command, context, request);
  }
  Json rows = Json::array();
  if (command.has("list")) {
    for (const control::Execution& execution : context.service().list_executions(request.team, request.job, {})) {
      rows.push_back(execution_row(execution));
    }
  } else {
    require_newest(request, context.service());
    rows.push_back(execution_row(context.service().get_execution(request.team, request.job, request.id)));
  }
  print(context.json() ? dump_json(rows) + "\n" : grid_table(rows));
  return 0;
}

}  // namespace vdk::cli

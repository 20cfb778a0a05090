// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "control/server/routes.hpp"
#include "control/server/wire.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

const std::string& id_of(const ApiRequest& request) { return request.segments.find("execution_id")->second; }

ApiAnswer list_executions(Service& service, const ApiRequest& request) {
  std::vector<ExecutionStatus> statuses;
  const auto [first, last] = request.query.equal_range("execution_status");
  for (auto it = first; it != last; ++it) {
    for (const std::string& name : text::split(it->second, ',')) {
      const auto status = parse_execution_status(text::lower(name));
      if (!status) {
        throw Error(ErrorKind::not_found,
                    {"The Execution Status '" + name + "' is not valid.", "executions never have this status",
                     "No executions are listed.",
                     "Use submitted, running, succeeded, cancelled, skipped, user_error or platform_error."});
      }
      statuses.push_back(*status);
    }
  }
  return json_answer(200, to_json(service.list_executions(request.team(), request.job(), statuses)));
}

ApiAnswer start_execution(Service& service, const ApiRequest& request) {
  const ExecutionBody body = read_execution(json_body(request));
  // The service itself adds who calls: STARTED_BY/USER.
  const std::string id = service.start_execution(request.team(), request.job(), body.started_by, body.arguments_json);
  ApiAnswer answer = empty_answer(202);
  answer.headers.emplace_back("Location", "/data-jobs/for-team/" + percent_encode(request.team()) + "/jobs/" +
                                              percent_encode(request.job()) + "/executions/" + percent_encode(id));
  return answer;
}

ApiAnswer get_execution(Service& service, const ApiRequest& request) {
  return json_answer(200, to_json(service.get_execution(request.team(), request.job(), id_of(request))));
}

ApiAnswer cancel_execution(Service& service, const ApiRequest& request) {
  const std::string what = "The Data Job execution '" + id_of(request) + "' cannot be cancelled.";
  try {
    service.cancel_execution(request.team(), request.job(), id_of(request));
  } catch (const Error& error) {
    const bool over = error.kind() == ErrorKind::conflict;
    if (!over && error.kind() != ErrorKind::not_found) {
      throw;
    }
    ErrorText text = error.text();
    text.why = over ? text.why : text.what + ": " + text.why;
    text.what = what;
    return error_answer(over ? 400 : 404, text);
  }
  return empty_answer(200);
}

ApiAnswer get_logs(Service& service, const ApiRequest& request) {
  int tail = 0;
  if (const auto given = request.parameter("tail_lines")) {
    const auto number = text::parse_int(*given);
    if (!number || *number < 0 || *number > std::numeric_limits<int>::max()) {
      throw bad_parameter("tail_lines", "a whole number from 0 to 2147483647", "'" + *given + "'");
    }
    tail = static_cast<int>(*number);
  }
  return json_answer(200,
                     object_json("logs", service.execution_logs(request.team(), request.job(), id_of(request), tail)));
}

constexpr std::string_view k_list = "/data-jobs/for-team/{team_name}/jobs/{job_name}/executions";
constexpr std::string_view k_one = "/data-jobs/for-team/{team_name}/jobs/{job_name}/executions/{execution_id}";
constexpr std::string_view k_logs = "/data-jobs/for-team/{team_name}/jobs/{job_name}/executions/{execution_id}/logs";
constexpr std::string_view k_start =
    "/data-jobs/for-team/{team_name}/jobs/{job_name}/deployments/{deployment_id}/executions";

}  // namespace

std::vector<Route> execution_routes() {
  return {with_page({"GET", k_list, list_executions, {}, true}), {"GET", k_start, list_executions, {}, true},
          {"POST", k_start, start_execution, {}, true},          with_page({"GET", k_one, get_execution, {}, true}),
          {"DELETE", k_one, cancel_execution, {}, true},         with_page({"GET", k_logs, get_logs, {}, true})};
}

}  // namespace vdk::control::rest

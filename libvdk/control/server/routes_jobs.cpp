// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql.hpp"
#include "control/server/routes.hpp"
#include "control/server/webhooks.hpp"
#include "control/server/wire.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::control::rest {
namespace {

ApiAnswer get_info(Service& service, const ApiRequest& request) {
  return json_answer(200, to_json(service.info(request.team())));
}

ApiAnswer query_jobs(Service& service, const ApiRequest& request, const QueryBody& query) {
  GraphqlAnswer answer =
      answer_graphql(service, request.team(), query.query, query.operation_name, query.variables_json);
  return json_answer(answer.status, std::move(answer.body));
}

ApiAnswer get_jobs(Service& service, const ApiRequest& request) {
  auto operation = request.parameter("operation_name");
  if (!operation) {
    operation = request.parameter("operationName");
  }
  return query_jobs(
      service, request,
      {request.parameter("query").value_or(""), operation.value_or(""), request.parameter("variables").value_or("")});
}

/// The checks of creation in the original's order.
void check_new_job(const ApiRequest& request, JobBody& body) {
  const auto name = request.parameter("name");
  if (!job::is_valid_name(body.job.job_name)) {
    throw bad_parameter("dataJob.jobName", "6 to 50 characters of a-z, 0-9 and -, the first one a letter",
                        "'" + body.job.job_name + "'");
  }
  if (name && *name != body.job.job_name) {
    throw bad_parameter("dataJob.jobName", "the name of the query, '" + *name + "'", "'" + body.job.job_name + "'");
  }
  if (!body.has_team) {
    body.job.team = request.team();
  }
  if (body.job.team != request.team() || text::trim(body.job.team).empty()) {
    throw bad_parameter("dataJob.team", "the team of the path, '" + request.team() + "'", "'" + body.job.team + "'");
  }
}

ApiAnswer create_job(Service& service, const ApiRequest& request) {
  if (request.content_type == "application/graphql") {
    return query_jobs(service, request, {request.body, "", ""});
  }
  if (const auto query = read_query(json_body(request))) {
    return query_jobs(service, request, *query);
  }
  JobBody body = read_job(json_body(request));
  check_new_job(request, body);
  try {
    if (request.webhooks != nullptr) {
      service.check_new_job(body.job);
      request.webhooks->before_create(body.job, request);
    }
    service.create_job(body.job);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) {
      throw EmptyAnswer{409};
    }
    throw;
  }
  ApiAnswer answer = empty_answer(201);
  answer.headers.emplace_back("Location", request.path + "/" + percent_encode(body.job.job_name));
  return answer;
}

ApiAnswer get_job(Service& service, const ApiRequest& request) {
  return json_answer(200, to_json(job_or_404(service, request)));
}

ApiAnswer update_job(Service& service, const ApiRequest& request) {
  JobBody body = read_job(json_body(request));
  if (body.job.job_name != request.job()) {
    throw bad_parameter("dataJob.jobName", "the name of the path, '" + request.job() + "'",
                        "'" + body.job.job_name + "'");
  }
  const DataJob stored = job_or_404(service, request);
  if (body.has_team && body.job.team != stored.team) {
    throw bad_parameter("dataJob.team",
                        "'" + stored.team + "' (PUT .../jobs/" + stored.job_name + "/team/{new_team} changes the team)",
                        "'" + body.job.team + "'");
  }
  body.job.team = stored.team;
  service.update_job(body.job);
  return empty_answer(200);
}

ApiAnswer delete_job(Service& service, const ApiRequest& request) {
  const DataJob job = job_or_404(service, request);
  if (request.webhooks != nullptr) {
    request.webhooks->before_delete(job, request);
  }
  service.delete_job(request.team(), request.job());
  return empty_answer(200);
}

ApiAnswer change_team(Service& service, const ApiRequest& request) {
  const std::string& team = request.segments.find("new_team")->second;
  if (text::trim(team).empty()) {
    throw EmptyAnswer{404};
  }
  (void)job_or_404(service, request);
  service.move_job(request.team(), request.job(), team);
  return empty_answer(200);
}

}  // namespace

DataJob job_or_404(Service& service, const ApiRequest& request) {
  try {
    return service.get_job(request.team(), request.job());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) {
      throw EmptyAnswer{404};
    }
    throw;
  }
}

std::vector<Route> job_routes() {
  return {{"GET", "/data-jobs/for-team/{team_name}/info", get_info, {}, true, true},
          with_page({"GET", "/data-jobs/for-team/{team_name}/jobs", get_jobs, {}, true, true}),
          {"POST", "/data-jobs/for-team/{team_name}/jobs", create_job, {}, true},
          with_page({"GET", "/data-jobs/for-team/{team_name}/jobs/{job_name}", get_job, {}, true}),
          {"PUT", "/data-jobs/for-team/{team_name}/jobs/{job_name}", update_job, {}, true},
          {"DELETE", "/data-jobs/for-team/{team_name}/jobs/{job_name}", delete_job, {}, true},
          {"PUT", "/data-jobs/for-team/{team_name}/jobs/{job_name}/team/{new_team}", change_team, {}, true}};
}

}  // namespace vdk::control::rest

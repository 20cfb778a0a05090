// SPDX-License-Identifier: Apache-2.0
#include "control/server/routes.hpp"
#include "control/server/wire.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

void check_resources(const DeploymentRequest& request) {
  if (!request.resources) {
    return;
  }
  const Resources& given = *request.resources;
  if (given.cpu_request || given.cpu_limit || (given.memory_request && given.memory_limit)) {
    throw Error(ErrorKind::usage,
                {"setting of job resources not allowed", "resources are given by the service to all deployments",
                 "Nothing was deployed; a deployment that exists stays as it is.", "Leave out the field resources."});
  }
}

DeploymentBody read_request(Service& service, const ApiRequest& request) {
  DeploymentBody body = read_deployment(json_body(request));
  if (const auto send = request.parameter("send_notification")) {
    const std::string value = text::lower(*send);
    if (value != "true" && value != "false") {
      throw bad_parameter("send_notification", "true or false", "'" + *send + "'");
    }
    body.request.send_notification = value == "true";
  }
  // Before the job's existence, as the original: an unsupported Python is 409 even for a job that is not there.
  DeploymentRequest python_only;
  python_only.python_version = body.request.python_version;
  service.check_deployment(python_only, body.schedule_cron.value_or(""));
  check_resources(body.request);
  return body;
}

void submit(Service& service, const ApiRequest& request, const DeploymentBody& body, DataJob&& job) {
  if (body.schedule_cron && *body.schedule_cron != job.schedule_cron) {
    job.schedule_cron = *body.schedule_cron;
    service.update_job(job);
  }
  (void)service.submit_deployment(request.team(), request.job(), body.request);
}

ApiAnswer list_deployments(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  return json_answer(200, to_json(service.get_deployment(request.team(), request.job())));
}

ApiAnswer get_deployment(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  const auto deployment = service.get_deployment(request.team(), request.job());
  if (!deployment) {
    throw EmptyAnswer{404};
  }
  return json_answer(200, deployment_json(*deployment));
}

ApiAnswer deploy(Service& service, const ApiRequest& request) {
  const DeploymentBody body = read_request(service, request);
  submit(service, request, body, job_or_404(service, request));
  return empty_answer(202);
}

ApiAnswer change_deployment(Service& service, const ApiRequest& request) {
  const DeploymentBody body = read_request(service, request);
  DataJob job = job_or_404(service, request);
  if (!service.get_deployment(request.team(), request.job())) {
    throw Error(ErrorKind::not_found,
                {"The Data Job '" + request.job() + "' is not deployed.", "only a deployment can be changed",
                 "Nothing was changed.", "Deploy the job first (POST .../deployments)."});
  }
  submit(service, request, body, std::move(job));
  return empty_answer(202);
}

ApiAnswer remove_deployment(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  service.submit_removal(request.team(), request.job());
  return empty_answer(202);
}

constexpr std::string_view k_list = "/data-jobs/for-team/{team_name}/jobs/{job_name}/deployments";
constexpr std::string_view k_one = "/data-jobs/for-team/{team_name}/jobs/{job_name}/deployments/{deployment_id}";

}  // namespace

std::vector<Route> deployment_routes() {
  return {with_page({"GET", k_list, list_deployments, {}, true}),
          {"POST", k_list, deploy, {}, true},
          with_page({"GET", k_one, get_deployment, {}, true}),
          {"PATCH", k_one, change_deployment, {}, true},
          {"DELETE", k_one, remove_deployment, {}, true}};
}

}  // namespace vdk::control::rest

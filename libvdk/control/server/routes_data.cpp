// SPDX-License-Identifier: Apache-2.0
#include "control/server/routes.hpp"
#include "control/server/wire.hpp"

namespace vdk::control::rest {
namespace {

ApiAnswer bytes_answer(std::string bytes, const std::string& file_name) {
  ApiAnswer answer{200, "application/octet-stream", std::move(bytes), {}};
  answer.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + file_name + "\"");
  return answer;
}

ApiAnswer get_sources(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  return bytes_answer(service.download(request.team(), request.job()), request.job() + ".zip");
}

ApiAnswer put_sources(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  const std::string reason = request.parameter("reason").value_or("Updating data job: " + request.job());
  return json_answer(
      200, object_json("version_sha", service.upload(request.team(), request.job(), archive_body(request), reason)));
}

ApiAnswer delete_sources(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  service.delete_sources(request.team(), request.job(), request.parameter("reason").value_or(""));
  return empty_answer(200);
}

ApiAnswer get_keytab(Service& service, const ApiRequest& request) {
  (void)job_or_404(service, request);
  return bytes_answer(service.keytab(request.team(), request.job()), request.job() + ".keytab");
}

ApiAnswer get_properties(Service& service, const ApiRequest& request) {
  return json_answer(200, service.get_properties(request.team(), request.job()));
}

ApiAnswer put_properties(Service& service, const ApiRequest& request) {
  check_json_object(json_body(request));
  service.set_properties(request.team(), request.job(), request.body);
  return empty_answer(204);
}

ApiAnswer get_secrets(Service& service, const ApiRequest& request) {
  return json_answer(200, service.get_secrets(request.team(), request.job()));
}

ApiAnswer put_secrets(Service& service, const ApiRequest& request) {
  check_json_object(json_body(request));
  service.set_secrets(request.team(), request.job(), request.body);
  return empty_answer(202);
}

ApiAnswer no_credentials(Service& /*service*/, const ApiRequest& /*request*/) {
  throw Error(ErrorKind::unsupported, {"OAuth credentials of teams encountered an error: Not Configured.",
                                       "this service keeps no credentials of teams", "Nothing was read or stored.",
                                       "Nothing is to be done: jobs of this service need none."});
}

constexpr std::string_view k_sources = "/data-jobs/for-team/{team_name}/jobs/{job_name}/sources";
constexpr std::string_view k_properties =
    "/data-jobs/for-team/{team_name}/jobs/{job_name}/deployments/{deployment_id}/properties";
constexpr std::string_view k_secrets =
    "/data-jobs/for-team/{team_name}/jobs/{job_name}/deployments/{deployment_id}/secrets";
constexpr std::string_view k_credentials = "/data-jobs/teams/{team_name}/oauth-credentials";

}  // namespace

std::vector<Route> data_routes() {
  return {{"GET", k_sources, get_sources, {}, true},
          {"POST", k_sources, put_sources, {}, true},
          {"DELETE", k_sources, delete_sources, {}, true},
          {"GET", "/data-jobs/for-team/{team_name}/jobs/{job_name}/keytab", get_keytab, {}, true},
          {"GET", k_properties, get_properties, {}, true},
          {"PUT", k_properties, put_properties, {}, true},
          {"GET", k_secrets, get_secrets, {}, true},
          {"PUT", k_secrets, put_secrets, {}, true},
          {"GET", k_credentials, no_credentials, {}, true},
          {"PUT", k_credentials, no_credentials, {}, true},
          {"GET", "/data-jobs/teams/{team_name}/oauth-credentials/client-id", no_credentials, {}, false},
          {"POST", "/data-jobs/oauth-credentials/client-ids", no_credentials, {}, false}};
}

}  // namespace vdk::control::rest

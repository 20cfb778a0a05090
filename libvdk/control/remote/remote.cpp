// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/remote.hpp"

#include <algorithm>
#include <thread>

#include "control/remote/listing.hpp"
#include "control/remote/records.hpp"
#include "control/remote/wire.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using namespace std::chrono_literals;
using remote::Json;

/// Ten times what the original client asks for: every page costs the service a look at all jobs.
constexpr int k_page_size = 1000;

// The original client asks for this team where none is given; the service does not look at it.
constexpr const char* k_no_team = "no-team-specified";

std::string team_path(const std::string& team) {
  return "/data-jobs/for-team/" + http::encode(team.empty() ? k_no_team : team);
}

std::string job_path(const std::string& team, const std::string& job) {
  return team_path(team) + "/jobs/" + http::encode(job);
}

// The id of a deployment is not looked at; these are the original client's.
constexpr const char* k_deployment = "/deployments/production";
constexpr const char* k_data = "/deployments/TODO/";

std::string subject_of(const std::string& team, const std::string& job) {
  return "data job '" + job + "' of team '" + team + "'";
}

bool same_state(const Deployment& a, const Deployment& b) {
  return a.job_version == b.job_version && a.python_version == b.python_version && a.vdk_version == b.vdk_version &&
         a.enabled == b.enabled && a.schedule_cron == b.schedule_cron && a.last_deployed_date == b.last_deployed_date;
}

class RemoteService final : public Service {
 public:
  explicit RemoteService(RemoteOptions options) : m_wire(std::move(options)) {}

  void act_as(const Caller& caller) override { m_wire.set_op_id(caller.op_id); }

  void check_health() override { (void)m_wire.send({.path = "/data-jobs/debug/health"}); }

  ServiceInfo info(const std::string& team) override {
    const Json json = ask({.path = team_path(team) + "/info"});
    ServiceInfo info;
    info.api_version = remote::text_of(json, "api_version");
    const Json& versions = remote::member(json, "supported_python_versions");
    for (const Json& version : versions.is_array() ? versions : Json::array()) {
      info.supported_python_versions.push_back(version.is_string() ? version.get<std::string>() : version.dump());
    }
    info.default_python_version = remote::text_of(json, "default_python_version");
    return info;
  }

  bool registers_on_deploy() const noexcept override { return false; }

  void check_new_job(const DataJob& /*job*/) override {}

  void create_job(const DataJob& job) override {
    (void)m_wire.send({.method = "POST",
                       .path = team_path(job.team) + "/jobs?name=" + http::encode(job.job_name),
                       .body = remote::job_to_json(job).dump(),
                       .subject = "data job '" + job.job_name + "'"});
  }

  DataJob get_job(const std::string& team, const std::string& job) override {
    DataJob result = remote::read_job(ask({.path = job_path(team, job), .subject = subject_of(team, job)}));
    result.job_name = job;
    result.team = result.team.empty() ? team : result.team;
    return result;
  }

  void update_job(const DataJob& job) override {
    (void)m_wire.send({.method = "PUT",
                       .path = job_path(job.team, job.job_name),
                       .body = remote::job_to_json(job).dump(),
                       .subject = subject_of(job.team, job.job_name)});
  }

  void delete_job(const std::string& team, const std::string& job) override {
    (void)m_wire.send({.method = "DELETE", .path = job_path(team, job), .subject = subject_of(team, job)});
  }

  void move_job(const std::string& team, const std::string& job, const std::string& new_team) override {
    (void)m_wire.send({.method = "PUT",
                       .path = job_path(team, job) + "/team/" + http::encode(new_team),
                       .subject = subject_of(team, job)});
  }

  std::vector<JobOverview> list_jobs(const std::string& team, int with_executions) override {
    const remote::Selection selection{
        .deployments = true, .executions = with_executions, .statistics = false, .source_url = false};
    std::vector<JobOverview> rows;
    for (int page = 1;; ++page) {
      const Json data = query(team, remote::list_query(team, selection, page, k_page_size));
      std::vector<JobOverview> found = remote::read_rows(data);
      const std::size_t count = found.size();
      for (JobOverview& row : found) {
        // The filter of the service is a pattern that ignores case, while teams are told apart by it.
        if (team.empty() || team.find('%') != std::string::npos || row.job.team == team) {
          rows.push_back(std::move(row));
        }
      }
      if (count < static_cast<std::size_t>(k_page_size)) {
        return rows;
      }
    }
  }

  JobPage find_jobs(const JobQuery& wanted) override {
    const remote::Selection selection{
        .deployments = wanted.deployments, .executions = 0, .statistics = wanted.statistics, .source_url = false};
    const Json data = query("", remote::jobs_query(wanted, selection));
    JobPage page;
    page.content = remote::read_rows(data);
    const Json& total = remote::member(data, "totalItems");
    page.total_items = total.is_number() ? total.get<long long>() : static_cast<long long>(page.content.size());
    return page;
  }

  ExecutionPage find_executions(const ExecutionQuery& /*query*/) override {
    throw Error(ErrorKind::unsupported, {"cannot search executions of all jobs", "the REST client does not offer it",
                                         "nothing was searched", "list the executions of one job"});
  }

  std::string upload(const std::string& team, const std::string& job, std::string_view zip,
                     const std::string& reason) override {
    const Call call{.method = "POST",
                    .path = job_path(team, job) + "/sources" + reason_query(reason),
                    .body = std::string(zip),
                    .content_type = "application/octet-stream",
                    .subject = subject_of(team, job)};
    std::string version = remote::text_of(ask(call), "version_sha");
    if (version.empty()) {
      m_wire.fail_strange(call, "it names no version_sha");
    }
    return version;
  }

  std::string download(const std::string& team, const std::string& job) override {
    return m_wire
        .send({.path = job_path(team, job) + "/sources",
               .accept = "application/octet-stream, application/json",
               .subject = subject_of(team, job)})
        .body;
  }

  void delete_sources(const std::string& team, const std::string& job, const std::string& reason) override {
    (void)m_wire.send({.method = "DELETE",
                       .path = job_path(team, job) + "/sources" + reason_query(reason),
                       .subject = subject_of(team, job)});
  }

  std::string source_url(const std::string& job) override {
    const Json data = query("", remote::source_url_query(job));
    const Json& content = remote::member(data, "content");
    return content.is_array() && !content.empty() ? remote::text_of(remote::member(content[0], "config"), "sourceUrl")
                                                  : std::string();
  }

  std::string keytab(const std::string& team, const std::string& job) override {
    return m_wire
        .send({.path = job_path(team, job) + "/keytab",
               .accept = "application/octet-stream, application/json",
               .subject = subject_of(team, job)})
        .body;
  }

  /// The service checks when it is asked to deploy; what can be known before is checked here, so that nothing is
  /// uploaded in vain.
  void check_deployment(const DeploymentRequest& request, const std::string& schedule_cron) override {
    if (!text::trim(schedule_cron).empty()) {
      (void)Cron::parse(schedule_cron);
    }
    if (request.python_version) {
      const std::vector<std::string> supported = info("").supported_python_versions;
      if (!supported.empty() &&
          std::find(supported.begin(), supported.end(), *request.python_version) == supported.end()) {
        throw Error(ErrorKind::conflict, {"Not supported python version: '" + *request.python_version + "'",
                                          "the control service does not offer this version",
                                          "Nothing was deployed; a deployment that exists stays as it is.",
                                          "Use one of the supported versions: " + text::quoted_list(supported) + "."});
      }
    }
  }

  DeployOutcome deploy(const std::string& team, const std::string& job, const DeploymentRequest& request,
                       const Progress& progress) override {
    const std::optional<Deployment> before = get_deployment(team, job);
    (void)submit_deployment(team, job, request);
    return watch(team, job, request, before, progress);
  }

  bool submit_deployment(const std::string& team, const std::string& job, const DeploymentRequest& request) override {
    const bool only_enabled = request.enabled && !request.job_version && !request.python_version &&
                              !request.vdk_version && !request.resources;
    const std::string path = job_path(team, job) + (only_enabled ? k_deployment : "/deployments") +
                             (request.send_notification || only_enabled ? "" : "?send_notification=false");
    (void)m_wire.send({.method = only_enabled ? "PATCH" : "POST",
                       .path = path,
                       .body = remote::request_to_json(request).dump(),
                       .subject = subject_of(team, job)});
    return true;
  }

  void submit_removal(const std::string& team, const std::string& job) override {
    (void)m_wire.send(
        {.method = "DELETE", .path = job_path(team, job) + k_deployment, .subject = subject_of(team, job)});
  }

  std::optional<Deployment> get_deployment(const std::string& team, const std::string& job) override {
    return read_state(team, job).deployment;
  }

  void remove_deployment(const std::string& team, const std::string& job) override {
    if (!get_deployment(team, job)) {
      throw Error(ErrorKind::not_found,
                  {"The Data Job '" + job + "' is not deployed", "it has no deployment that could be removed",
                   "Nothing was done.", "See it with `vdk show -n " + job + "`."});
    }
    submit_removal(team, job);
  }

  std::string start_execution(const std::string& team, const std::string& job, const std::string& started_by,
                              const std::string& arguments_json) override {
    Json body;
    body["started_by"] = started_by;
    body["args"] = arguments_json.empty() ? Json::object() : Json::parse(arguments_json);
    const Call call{.method = "POST",
                    .path = job_path(team, job) + k_deployment + "/executions",
                    .body = body.dump(),
                    .subject = subject_of(team, job)};
    const http::Response response = m_wire.send(call);
    std::string location = response.header("Location").value_or("");
    location.resize(std::min(location.size(), location.find_first_of("?#")));
    while (location.ends_with('/')) {
      location.pop_back();
    }
    std::string id = location.substr(location.rfind('/') + 1);
    if (id.empty()) {
      m_wire.fail_strange(call, "its Location names no execution");
    }
    return id;
  }

  void cancel_execution(const std::string& team, const std::string& job, const std::string& id) override {
    (void)m_wire.send({.method = "DELETE",
                       .path = execution_path(team, job, id),
                       .subject = "execution '" + id + "' of " + subject_of(team, job)});
  }

  Execution get_execution(const std::string& team, const std::string& job, const std::string& id) override {
    return remote::read_execution(
        ask({.path = execution_path(team, job, id), .subject = "execution '" + id + "' of " + subject_of(team, job)}),
        job);
  }

  std::vector<Execution> list_executions(const std::string& team, const std::string& job,
                                         const std::vector<ExecutionStatus>& statuses) override {
    std::string path = job_path(team, job) + "/executions";
    for (const ExecutionStatus status : statuses) {
      path += (path.find('?') == std::string::npos ? "?" : "&") + std::string("execution_status=") +
              std::string(to_string(status));
    }
    const Json rows = ask({.path = path, .subject = subject_of(team, job)});
    std::vector<Execution> executions;
    for (const Json& row : rows.is_array() ? rows : Json::array()) {
      executions.push_back(remote::read_execution(row, job));
    }
    remote::newest_first(executions);
    return executions;
  }

  std::string execution_logs(const std::string& team, const std::string& job, const std::string& id,
                             int tail_lines) override {
    const std::string tail = tail_lines > 0 ? "?tail_lines=" + std::to_string(tail_lines) : std::string();
    return remote::text_of(ask({.path = execution_path(team, job, id) + "/logs" + tail,
                                .subject = "execution '" + id + "' of " + subject_of(team, job)}),
                           "logs");
  }

  std::string get_properties(const std::string& team, const std::string& job) override {
    return get_data(team, job, "properties");
  }
  void set_properties(const std::string& team, const std::string& job, const std::string& json_object) override {
    set_data(team, job, "properties", json_object);
  }
  std::string get_secrets(const std::string& team, const std::string& job) override {
    return get_data(team, job, "secrets");
  }
  void set_secrets(const std::string& team, const std::string& job, const std::string& json_object) override {
    set_data(team, job, "secrets", json_object);
  }

 private:
  /// A deployment as the service shows it. The original never says how a roll-out goes.
  struct State {
    std::optional<Deployment> deployment;
    bool tells_status = false;
  };

  static std::string reason_query(const std::string& reason) {
    return reason.empty() ? std::string() : "?reason=" + http::encode(reason);
  }

  static std::string execution_path(const std::string& team, const std::string& job, const std::string& id) {
    return job_path(team, job) + "/executions/" + http::encode(id);
  }

  Json ask(const Call& call) {
    const http::Response response = m_wire.send(call);
    if (text::trim(response.body).empty()) {
      return nullptr;
    }
    Json json = Json::parse(response.body, nullptr, false);
    if (json.is_discarded()) {
      m_wire.fail_strange(call, "it is not JSON");
    }
    return json;
  }

  Json query(const std::string& team, const std::string& text) {
    const Call call{.path = team_path(team) + "/jobs?query=" + http::encode(text)};
    const Json answer = ask(call);
    const Json& data = remote::member(answer, "data");
    if (!data.is_object()) {
      m_wire.fail_strange(call, "it has no data");
    }
    return data;
  }

  State read_state(const std::string& team, const std::string& job) {
    const Json rows = ask({.path = job_path(team, job) + "/deployments", .subject = subject_of(team, job)});
    State state;
    if (rows.is_array() && !rows.empty()) {
      state.deployment = remote::read_deployment(rows[0], job);
      state.tells_status = !remote::text_of(rows[0], "status").empty();
    }
    return state;
  }

  /// Look until the roll-out has ended. A service that tells no status has accepted the deployment, and no more is
  /// known.
  DeployOutcome watch(const std::string& team, const std::string& job, const DeploymentRequest& request,
                      const std::optional<Deployment>& before, const Progress& progress) {
    const auto end = std::chrono::steady_clock::now() + m_wire.options().rollout_timeout;
    auto pause = 100ms;
    while (true) {
      State state = read_state(team, job);
      const bool over = state.deployment && state.deployment->status != DeploymentStatus::none;
      if (over || !state.tells_status || std::chrono::steady_clock::now() >= end) {
        return outcome(job, request, before, std::move(state));
      }
      if (progress) {
        progress("the service rolls the deployment out");
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 3 / 2, 1000ms);
    }
  }

  static DeployOutcome outcome(const std::string& job, const DeploymentRequest& request,
                               const std::optional<Deployment>& before, State state) {
    DeployOutcome result;
    Deployment& deployment = result.deployment;
    if (state.deployment) {
      deployment = std::move(*state.deployment);
    }
    deployment.job_name = job;
    result.changed = !before || !same_state(*before, deployment) || deployment.status != DeploymentStatus::success;
    if (deployment.status != DeploymentStatus::success) {  // what is shown is still the state before
      deployment.job_version = request.job_version.value_or(deployment.job_version);
      deployment.python_version = request.python_version.value_or(deployment.python_version);
      deployment.vdk_version = request.vdk_version.value_or(deployment.vdk_version);
      deployment.enabled = request.enabled.value_or(deployment.enabled);
    }
    return result;
  }

  std::string get_data(const std::string& team, const std::string& job, const char* noun) {
    const Call call{.path = job_path(team, job) + k_data + noun, .subject = subject_of(team, job)};
    const Json json = ask(call);
    if (json.is_null()) {
      return "{}";
    }
    if (!json.is_object()) {
      m_wire.fail_strange(call, "it is not a JSON object");
    }
    return json.dump();
  }

  void set_data(const std::string& team, const std::string& job, const char* noun, const std::string& json_object) {
    (void)m_wire.send({.method = "PUT",
                       .path = job_path(team, job) + k_data + noun,
                       .body = json_object,
                       .subject = subject_of(team, job)});
  }

  Wire m_wire;
};

}  // namespace

std::unique_ptr<Service> open_remote(RemoteOptions options) {
  return std::make_unique<RemoteService>(std::move(options));
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <algorithm>

#include "control/embedded/crypto.hpp"
#include "control/embedded/executions.hpp"
#include "control/embedded/queries.hpp"
#include "control/embedded/rules.hpp"
#include "control/embedded/synchronizer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::control {
namespace {

constexpr std::size_t k_secrets_limit = 1U << 20U;

/// The object without white space between its parts, so that both clients leave the same text; numbers keep every
/// digit. Error(usage) when it is no object.
std::string canonical_object(const std::string& text, const std::string& what) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw Error(ErrorKind::usage, {"cannot use the " + what, "the text is not a JSON object", "Nothing was stored.",
                                   "Give an object such as {\"key\": \"value\"}."});
  }
  std::string compact;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string || std::string_view(" \t\r\n").find(c) == std::string_view::npos) {
      compact += c;
    }
    if (in_string && c == '\\') {
      compact += text[++i];  // valid JSON: something follows
    } else if (c == '"') {
      in_string = !in_string;
    }
  }
  return compact;
}

class EmbeddedService final : public Service {
 public:
  EmbeddedService(EmbeddedOptions options, std::unique_ptr<target::Target> target, std::shared_ptr<const Clock> clock)
      : m_options(std::move(options)),
        m_target(std::move(target)),
        m_clock(std::move(clock)),
        m_store(m_options.database, m_options.home),
        m_sources(m_options.home, m_options.sources, m_options.caller.user),
        m_synchronizer(context()),
        m_executions(context()) {}

  void act_as(const Caller& caller) override {
    m_options.caller = caller;
    m_sources.set_user(caller.user);
  }

  void check_health() override { (void)m_store.state("scheduler_last_check"); }

  ServiceInfo info(const std::string& /*team*/) override {
    ServiceInfo info;
    info.api_version = "1.0";
    const auto catalog = m_options.python->get();
    for (const PythonVersion& version : catalog->versions) {
      info.supported_python_versions.push_back(version.version);
    }
    info.default_python_version = catalog->default_version;
    if (info.default_python_version.empty() && !info.supported_python_versions.empty()) {
      info.default_python_version = info.supported_python_versions.front();
    }
    return info;
  }

  bool registers_on_deploy() const noexcept override { return true; }

  void create_job(const DataJob& job) override {
    Store::Write write(m_store);
    check_new_job(job);
    m_store.insert_job(job);
    write.commit();
    failpoint("job.created");
  }

  void check_new_job(const DataJob& job) override {
    check_job(job);
    if (m_store.find_job(job.job_name)) {
      throw Error(ErrorKind::conflict, {"The Data Job '" + job.job_name + "' exists already",
                                        "names of data jobs are unique in the whole service", "Nothing was stored.",
                                        "Choose another name, or use `vdk deploy` to change the job."});
    }
  }

  DataJob get_job(const std::string& team, const std::string& job) override { return require_job(m_store, team, job); }

  void update_job(const DataJob& job) override {
    check_job(job);
    Store::Write write(m_store);
    m_store.lock_job(job.job_name);
    (void)require_job(m_store, job.team, job.job_name);
    m_store.update_job(job);
    write.commit();
  }

  void delete_job(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    m_store.delete_desired(job);
    failpoint("job.delete.undesired");
    remove_now_or_later(job);
    end_executions(job);
    m_sources.remove(job, m_clock->now());
    failpoint("job.delete.sources");
    if (!delete_row(job, false)) {  // somebody started one in between
      end_executions(job);
      (void)delete_row(job, true);
    }
  }

  void move_job(const std::string& team, const std::string& job, const std::string& new_team) override {
    Store::Write write(m_store);
    m_store.lock_job(job);
    DataJob data_job = require_job(m_store, team, job);
    data_job.team = new_team;
    check_job(data_job);
    m_store.update_job(data_job);
    // Executions learn their team from the runtime, so the deployment goes there again.
    auto desired = m_store.desired(job);
    if (desired && supports_python(m_options, desired->deployment.python_version)) {
      desired->deployment.version_hash = make_spec(m_options, new_team, desired->deployment).version_hash;
      desired->deployment.status = DeploymentStatus::none;
      desired->user_initiated = false;
      m_store.put_desired(*desired);
    }
    write.commit();
  }

  JobPage find_jobs(const JobQuery& query) override { return control::find_jobs(m_store, m_sources, query, *m_clock); }

  ExecutionPage find_executions(const ExecutionQuery& query) override {
    ExecutionPage page = control::find_executions(m_store, query);
    for (std::size_t i = 0; i < page.content.size(); ++i) {
      page.content[i].logs_url = logs_url(m_options, page.content[i], i < page.teams.size() ? page.teams[i] : "");
    }
    return page;
  }

  std::vector<JobOverview> list_jobs(const std::string& team, int with_executions) override {
    if (with_executions > 0 && !is_watched()) {
      m_executions.refresh(std::string());
    }
    std::vector<JobOverview> jobs = m_store.overview(team, with_executions);
    for (JobOverview& item : jobs) {
      for (Execution& execution : item.executions) {
        execution.logs_url = logs_url(m_options, execution, item.job.team);
      }
    }
    return jobs;
  }

  std::string upload(const std::string& team, const std::string& job, std::string_view zip,
                     const std::string& reason) override {
    (void)require_job(m_store, team, job);
    files::make_private_directory(m_options.home / "tmp");
    const files::TemporaryDirectory scratch(m_options.home / "tmp", "upload");
    const auto folder = job::unpack(zip, scratch.path() / "job");
    const auto known = m_store.source(job);
    const SourceRecord record = m_sources.commit(job, folder, reason, m_clock->now(), known);
    if (!known || known->tree_oid != record.tree_oid || known->commit_sha != record.commit_sha) {
      m_store.put_source(job, record);
    }
    return record.commit_sha;
  }

  std::string download(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    const auto version = m_sources.head_version(job);
    if (!version) {
      throw Error(ErrorKind::not_found,
                  {"cannot download the job '" + job + "'", "it has no sources in the service yet",
                   "Nothing was written.", "Deploy the job first with `vdk deploy -p`."});
    }
    files::make_private_directory(m_options.home / "tmp");
    const files::TemporaryDirectory scratch(m_options.home / "tmp", "download");
    m_sources.write(job, *version, scratch.path() / job);
    return job::pack(scratch.path() / job, job);
  }

  void delete_sources(const std::string& team, const std::string& job, const std::string& reason) override {
    (void)require_job(m_store, team, job);
    m_sources.remove(job, m_clock->now(), reason);
    m_store.delete_source(job);
  }

  std::string source_url(const std::string& job) override { return m_sources.url(job); }

  std::string keytab(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    throw Error(ErrorKind::unsupported,
                {"cannot download the keytab of '" + job + "'", "Kerberos is not configured in this control service",
                 "No key was written.", "Nothing is to be done: jobs of this service run without a keytab."});
  }

  void check_deployment(const DeploymentRequest& request, const std::string& schedule_cron) override {
    if (request.python_version) {
      check_python_version(m_options, *request.python_version);
    }
    check_schedule(schedule_cron);
    if (request.resources) {
      check_resources(*request.resources);
    }
  }

  DeployOutcome deploy(const std::string& team, const std::string& job, const DeploymentRequest& request,
                       const Progress& progress) override {
    if (request.python_version) {
      check_python_version(m_options, *request.python_version);
    }
    const DataJob data_job = require_job(m_store, team, job);
    check_schedule(data_job.schedule_cron);
    const bool stored = store_desired(data_job, with_version(job, request));
    const bool again = !stored && is_damaged(job);
    if (!stored && !again) {
      return {*get_deployment(team, job), false, false};
    }
    failpoint("deploy.desired");
    if (again && progress) {
      progress("The deployment was damaged; it is made again.");
    }
    m_synchronizer.roll_out(job, again, progress);
    auto deployment = get_deployment(team, job);
    if (!deployment) {
      throw job_not_deployed(job);  // somebody removed it in the meantime
    }
    if (deployment->status == DeploymentStatus::user_error || deployment->status == DeploymentStatus::platform_error) {
      const auto desired = m_store.desired(job);
      return {desired ? desired->deployment : *deployment, true, false};
    }
    return {*deployment, true, false};
  }

  bool submit_deployment(const std::string& team, const std::string& job, const DeploymentRequest& request) override {
    if (request.python_version) {
      check_python_version(m_options, *request.python_version);
    }
    const DataJob data_job = require_job(m_store, team, job);
    check_schedule(data_job.schedule_cron);
    return store_desired(data_job, with_version(job, request));
  }

  void submit_removal(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    m_store.delete_desired(job);
  }

  std::optional<Deployment> get_deployment(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    const auto desired = m_store.desired(job);
    auto actual = m_store.actual(job);
    if (!desired) {
      return std::nullopt;
    }
    if (!actual) {
      return desired->deployment;
    }
    actual->enabled = desired->deployment.enabled;  // the scheduler obeys it at once
    actual->status = desired->deployment.status;
    actual->status_message = desired->deployment.status_message;
    return actual;
  }

  void remove_deployment(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    if (!m_store.desired(job) && !m_store.actual(job)) {
      throw job_not_deployed(job);
    }
    m_store.delete_desired(job);
    failpoint("undeploy.desired");
    m_synchronizer.roll_out(job, false, {});
  }

  std::string start_execution(const std::string& team, const std::string& job, const std::string& started_by,
                              const std::string& arguments_json) override {
    const DataJob data_job = require_job(m_store, team, job);
    return m_executions.start(
        data_job, started_by,
        arguments_json.empty() ? arguments_json : canonical_object(arguments_json, "arguments of the execution"));
  }

  void cancel_execution(const std::string& team, const std::string& job, const std::string& id) override {
    (void)require_job(m_store, team, job);
    m_executions.cancel(job, id);
  }

  Execution get_execution(const std::string& team, const std::string& job, const std::string& id) override {
    (void)require_job(m_store, team, job);
    if (!is_watched()) {
      m_executions.refresh(job, id);
    }
    Execution execution = m_executions.get(job, id);
    execution.logs_url = logs_url(m_options, execution, team);
    return execution;
  }

  std::vector<Execution> list_executions(const std::string& team, const std::string& job,
                                         const std::vector<ExecutionStatus>& statuses) override {
    (void)require_job(m_store, team, job);
    if (!is_watched()) {
      m_executions.refresh(job);
    }
    std::vector<Execution> result;
    for (ExecutionRow& row : m_store.executions(job)) {
      if (statuses.empty() || std::find(statuses.begin(), statuses.end(), row.execution.status) != statuses.end()) {
        row.execution.logs_url = logs_url(m_options, row.execution, team);
        result.push_back(std::move(row.execution));
      }
    }
    return result;
  }

  std::string execution_logs(const std::string& team, const std::string& job, const std::string& id,
                             int tail_lines) override {
    (void)require_job(m_store, team, job);
    (void)m_executions.get(job, id);
    return m_target->logs(id, tail_lines);
  }

  std::string get_properties(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    return m_store.properties(job).value_or("{}");
  }

  void set_properties(const std::string& team, const std::string& job, const std::string& json_object) override {
    (void)require_job(m_store, team, job);
    m_store.put_properties(job, canonical_object(json_object, "properties of '" + job + "'"));
  }

  std::string get_secrets(const std::string& team, const std::string& job) override {
    (void)require_job(m_store, team, job);
    const auto cipher = m_store.secrets(job);
    return cipher ? decrypt(load_secrets_key(m_options.home), *cipher, job) : std::string("{}");
  }

  void set_secrets(const std::string& team, const std::string& job, const std::string& json_object) override {
    (void)require_job(m_store, team, job);
    const std::string secrets = canonical_object(json_object, "secrets of '" + job + "'");
    if (secrets.size() > k_secrets_limit) {
      throw Error(ErrorKind::too_large, {"cannot store the secrets of '" + job + "'", "they are larger than 1 MiB",
                                         "The stored secrets stay as they were.", "Store large values elsewhere."});
    }
    m_store.put_secrets(job, encrypt(load_secrets_key(m_options.home), secrets, job));
  }

 private:
  Context context() { return {m_options, *m_target, *m_clock, m_store, m_sources}; }

  /// The request with a full version id that this job really has.
  DeploymentRequest with_version(const std::string& job, const DeploymentRequest& request) {
    DeploymentRequest result = request;
    if (request.job_version) {
      const auto known = m_store.source(job);
      result.job_version = known && known->commit_sha == *request.job_version
                               ? known->commit_sha
                               : m_sources.resolve(job, *request.job_version);
    } else if (!m_store.desired(job)) {
      result.job_version = m_sources.head_version(job);
      if (!result.job_version) {
        throw job_not_deployed(job);
      }
    }
    return result;
  }

  /// False when everything is as the request wants it, by the rows.
  bool store_desired(const DataJob& job, const DeploymentRequest& request) {
    Store::Write write(m_store);
    m_store.lock_job(job.job_name);
    const auto desired = m_store.desired(job.job_name);
    const auto actual = m_store.actual(job.job_name);
    Desired wanted;
    wanted.deployment = merge(m_options, job, request, desired, actual);
    wanted.send_notification = request.send_notification;
    const bool same = actual && desired && actual->version_hash == wanted.deployment.version_hash &&
                      desired->deployment.version_hash == wanted.deployment.version_hash &&
                      desired->deployment.status == DeploymentStatus::success;
    if (same) {
      return false;
    }
    wanted.deployment.last_deployed_by = m_options.caller.user;
    wanted.deployment.last_deployed_date = m_clock->now();
    m_store.put_desired(wanted);
    write.commit();
    return true;
  }

  /// The rows agree, but the target has lost the deployment.
  bool is_damaged(const std::string& job) {
    const auto actual = m_store.actual(job);
    const auto present = m_target->list();
    const auto found = present.find(job);
    return actual && (found == present.end() || found->second != actual->version_hash);
  }

  /// A server's monitor keeps executions true to the runtime; reading them need not ask it. Without a server the reader
  /// asks.
  [[nodiscard]] bool is_watched() const { return server_is_running(m_options.home); }

  /// Take the deployment out of the runtime. While somebody rolls it out, perhaps for minutes, a server's synchronizer
  /// does it afterwards.
  void remove_now_or_later(const std::string& job) {
    if (!m_synchronizer.try_step({.job = job}) && !is_watched()) {
      m_synchronizer.roll_out(job, false, {});
    }
  }

  /// False when an execution is unfinished and `whatever` is not said.
  bool delete_row(const std::string& job, bool whatever) {
    Store::Write write(m_store);
    m_store.lock_job(job);
    if (!whatever && m_store.has_unfinished(job)) {
      return false;
    }
    m_store.delete_job(job);
    write.commit();
    return true;
  }

  void end_executions(const std::string& job) {
    for (const ExecutionRow& row : m_store.executions(job)) {
      if (!is_final(row.execution.status)) {
        m_store.request_cancel(row.execution.id);
        m_target->cancel(row.execution.id);
      }
    }
    m_executions.refresh(job);
    for (const ExecutionRow& row : m_store.executions(job)) {
      if (is_final(row.execution.status)) {
        m_target->forget(row.execution.id);
      }
    }
  }

  EmbeddedOptions m_options;
  std::unique_ptr<target::Target> m_target;
  std::shared_ptr<const Clock> m_clock;
  Store m_store;
  Sources m_sources;
  Synchronizer m_synchronizer;
  Executions m_executions;
};

}  // namespace

std::unique_ptr<Service> open_embedded(EmbeddedOptions options, std::unique_ptr<target::Target> target,
                                       std::shared_ptr<const Clock> clock) {
  files::make_private_directory(options.home);
  return std::make_unique<EmbeddedService>(std::move(options), std::move(target), std::move(clock));
}

}  // namespace vdk::control

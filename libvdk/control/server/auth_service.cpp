// SPDX-License-Identifier: Apache-2.0
#include "control/server/auth_service.hpp"

#include <algorithm>

#include "control/server/api.hpp"

namespace vdk::control::rest {
namespace {

using Text = const std::string&;

/// Every function with a team asks first: no route can forget to.
class RestrictedService final : public Service {
 public:
  RestrictedService(Service& service, const Principal& principal) : m_service(service), m_principal(principal) {}

  void act_as(const Caller& caller) override { m_service.act_as(caller); }
  void check_health() override { m_service.check_health(); }
  ServiceInfo info(Text team) override { return m_service.info(team); }
  [[nodiscard]] bool registers_on_deploy() const noexcept override { return m_service.registers_on_deploy(); }

  void check_new_job(const DataJob& job) override { allowed(job.team).check_new_job(job); }
  void create_job(const DataJob& job) override { allowed(job.team).create_job(job); }
  DataJob get_job(Text team, Text job) override { return allowed(team).get_job(team, job); }
  void update_job(const DataJob& job) override { allowed(job.team).update_job(job); }
  void delete_job(Text team, Text job) override { allowed(team).delete_job(team, job); }
  void move_job(Text team, Text job, Text new_team) override {
    require_team(m_principal, new_team);
    allowed(team).move_job(team, job, new_team);
  }
  std::vector<JobOverview> list_jobs(Text team, int with_executions) override {
    auto jobs = (team.empty() ? m_service : allowed(team)).list_jobs(team, with_executions);
    std::erase_if(jobs, [&](const JobOverview& one) { return !m_principal.may(one.job.team); });
    return jobs;
  }
  JobPage find_jobs(const JobQuery& query) override {
    JobQuery own = query;
    own.only_teams = m_principal.teams;
    return m_service.find_jobs(own);
  }
  ExecutionPage find_executions(const ExecutionQuery& query) override {
    ExecutionQuery own = query;
    if (own.teams.empty()) {
      own.teams = m_principal.teams;
    } else {
      std::erase_if(own.teams, [&](const std::string& team) { return !m_principal.may(team); });
    }
    return own.teams.empty() ? ExecutionPage{} : m_service.find_executions(own);  // no teams would mean all
  }

  std::string upload(Text team, Text job, std::string_view zip, Text reason) override {
    return allowed(team).upload(team, job, zip, reason);
  }
  std::string download(Text team, Text job) override { return allowed(team).download(team, job); }
  void delete_sources(Text team, Text job, Text reason) override { allowed(team).delete_sources(team, job, reason); }
  std::string source_url(Text job) override { return m_service.source_url(job); }
  std::string keytab(Text team, Text job) override { return allowed(team).keytab(team, job); }

  void check_deployment(const DeploymentRequest& request, Text schedule_cron) override {
    m_service.check_deployment(request, schedule_cron);
  }
  DeployOutcome deploy(Text team, Text job, const DeploymentRequest& request, const Progress& progress) override {
    return allowed(team).deploy(team, job, request, progress);
  }
  bool submit_deployment(Text team, Text job, const DeploymentRequest& request) override {
    return allowed(team).submit_deployment(team, job, request);
  }
  void submit_removal(Text team, Text job) override { allowed(team).submit_removal(team, job); }
  std::optional<Deployment> get_deployment(Text team, Text job) override {
    return allowed(team).get_deployment(team, job);
  }
  void remove_deployment(Text team, Text job) override { allowed(team).remove_deployment(team, job); }

  std::string start_execution(Text team, Text job, Text started_by, Text arguments_json) override {
    return allowed(team).start_execution(team, job, started_by, arguments_json);
  }
  void cancel_execution(Text team, Text job, Text id) override { allowed(team).cancel_execution(team, job, id); }
  Execution get_execution(Text team, Text job, Text id) override { return allowed(team).get_execution(team, job, id); }
  std::vector<Execution> list_executions(Text team, Text job, const std::vector<ExecutionStatus>& statuses) override {
    return allowed(team).list_executions(team, job, statuses);
  }
  std::string execution_logs(Text team, Text job, Text id, int tail_lines) override {
    return allowed(team).execution_logs(team, job, id, tail_lines);
  }

  std::string get_properties(Text team, Text job) override { return allowed(team).get_properties(team, job); }
  void set_properties(Text team, Text job, Text json) override { allowed(team).set_properties(team, job, json); }
  std::string get_secrets(Text team, Text job) override { return allowed(team).get_secrets(team, job); }
  void set_secrets(Text team, Text job, Text json) override { allowed(team).set_secrets(team, job, json); }

 private:
  Service& allowed(Text team) {
    require_team(m_principal, team);
    return m_service;
  }

  Service& m_service;
  const Principal& m_principal;
};

}  // namespace

void require_team(const Principal& principal, const std::string& team) {
  if (!principal.may(team)) {
    throw Refusal{403,
                  {"You may not work with the team '" + team + "'.",
                   "the login of '" + principal.user + "' does not belong to this team",
                   "The request was not executed; nothing has changed.",
                   "Ask the team's owner or the administrator of the service, or log in as somebody else."}};
  }
}

std::unique_ptr<Service> restrict_service(Service& service, const Principal& principal) {
  return std::make_unique<RestrictedService>(service, principal);
}

}  // namespace vdk::control::rest

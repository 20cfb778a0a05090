// SPDX-License-Identifier: Apache-2.0
// list, show, delete, info
#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/records.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"

namespace vdk::cli {

int run_list(const ParsedCommand& command, Context& context) {
  const std::size_t details = command.count("more-details");
  const std::string team = command.has("all") ? "" : context.given_team();
  Json rows = Json::array();
  for (const control::JobOverview& overview : context.service().list_jobs(team, details >= 3 ? 1 : 0)) {
    rows.push_back(list_row(overview, details));
  }
  print(context.json() ? dump_json(rows) + "\n" : grid_table(rows));
  return 0;
}

int run_show(const ParsedCommand&, Context& context) {
  constexpr std::size_t shown_executions = 2;
  const std::string job = context.job_name();
  const std::string team = context.team_of(job);
  control::Service& service = context.service();
  Json record = job_record(service.get_job(team, job));
  record["deployments"] = Json::array();
  if (const auto deployment = service.get_deployment(team, job)) {
    record["deployments"].push_back(detailed_deployment(*deployment));
  }
  record["executions"] = Json::array();
  for (const control::Execution& execution : service.list_executions(team, job, {})) {
    if (record["executions"].size() < shown_executions) {
      record["executions"].push_back(execution_row(execution));
    }
  }
  print(context.json() ? dump_json(record) + "\n" : key_value_table(record));
  return 0;
}

int run_delete(const ParsedCommand& command, Context& context) {
  const std::string job = context.job_name();
  if (!command.has("yes") && !confirm("Are you sure you want to delete the data job?", "--yes")) {
    throw Error(ErrorKind::operation, {"aborted", "the answer was no", "nothing was deleted", ""});
  }
  const std::string team = context.team_of(job);
  context.service().delete_job(team, job);
  log::info("Deleted Data Job " + job +
            " and all its deployments successfully. The job's folder may still be present on your local file system.");
  if (context.json()) {
    print(dump_json({{"job_name", job}, {"team", team}, {"deleted", true}}) + "\n");
  }
  return 0;
}

int run_info(const ParsedCommand&, Context& context) {
  const control::ServiceInfo info = context.service(Interpreters::needed).info(context.given_team());
  if (context.json()) {
    Json record;
    record["api_version"] = info.api_version;
    record["supported_python_versions"] = info.supported_python_versions;
    record["default_python_version"] = info.default_python_version;
    print(dump_json(record) + "\n");
    return 0;
  }
  std::string out = "Getting control service information...\nVDK Control service version: " + info.api_version +
                    "\nSupported python versions:\n";
  for (const std::string& version : info.supported_python_versions) {
    out += "\t" + version + "\n";
  }
  out += info.supported_python_versions.empty() ? "\tnone: no working Python was found on this machine\n"
                                                : "Default python version: " + info.default_python_version + "\n";
  print(out);
  return 0;
}

}  // namespace vdk::cli

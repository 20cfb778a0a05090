// SPDX-License-Identifier: Apache-2.0
#include "control/remote/listing.hpp"

#include "vdk/core/text.hpp"

namespace vdk::control::remote {
namespace {

constexpr const char* k_contacts =
    "contacts { notifiedOnJobDeploy notifiedOnJobSuccess notifiedOnJobFailurePlatformError "
    "notifiedOnJobFailureUserError } ";

std::string content(const Selection& selection) {
  std::string text = "content { jobName config { team description schedule { scheduleCron } " + std::string(k_contacts);
  text += selection.source_url ? "sourceUrl } " : "} ";
  if (selection.deployments) {
    text += " deployments { enabled status jobVersion lastDeployedBy lastDeployedDate jobPythonVersion ";
    if (selection.executions > 0) {
      text += "executions(pageNumber: 1, pageSize: " + std::to_string(selection.executions) +
              ", order: { property: \"startTime\", direction: DESC }) { id type status startTime endTime opId "
              "startedBy } ";
    }
    if (selection.statistics) {
      text += "lastExecutionStatus lastExecutionTime lastExecutionDuration successfulExecutions failedExecutions ";
    }
    text += "} ";
  }
  return text + "} ";
}

std::string predicate(const JobPredicate& item) {
  std::string text = "{ property: " + graphql_text(item.property);
  if (item.pattern) {
    text += ", pattern: " + graphql_text(*item.pattern);
  }
  if (item.sort) {
    text += std::string(", sort: ") + (*item.sort == SortDirection::ascending ? "ASC" : "DESC");
  }
  return text + " }";
}

std::vector<std::string> texts(const Json& array) {
  std::vector<std::string> items;
  for (const Json& item : array.is_array() ? array : Json::array()) {
    if (item.is_string()) {
      items.push_back(item.get<std::string>());
    }
  }
  return items;
}

job::Contacts read_contacts(const Json& json) {
  return {texts(member(json, "notifiedOnJobFailureUserError")),
          texts(member(json, "notifiedOnJobFailurePlatformError")), texts(member(json, "notifiedOnJobSuccess")),
          texts(member(json, "notifiedOnJobDeploy"))};
}

Execution read_row_execution(const Json& json, const std::string& job) {
  Json plain;
  plain["id"] = text_of(json, "id");
  plain["type"] = text_of(json, "type");
  plain["status"] = text_of(json, "status");
  plain["start_time"] = text_of(json, "startTime");
  plain["end_time"] = text_of(json, "endTime");
  plain["op_id"] = text_of(json, "opId");
  plain["started_by"] = text_of(json, "startedBy");
  return read_execution(plain, job);
}

Deployment read_row_deployment(const Json& json, const JobOverview& row) {
  Json plain;
  plain["job_version"] = text_of(json, "jobVersion");
  plain["python_version"] = text_of(json, "jobPythonVersion");
  plain["vdk_version"] = text_of(json, "vdkVersion");
  plain["enabled"] = flag_of(json, "enabled", true);
  plain["last_deployed_by"] = text_of(json, "lastDeployedBy");
  plain["last_deployed_date"] = text_of(json, "lastDeployedDate");
  plain["status"] = text_of(json, "status");
  Deployment deployment = read_deployment(plain, row.job.job_name);
  deployment.schedule_cron = row.job.schedule_cron;
  deployment.contacts = row.job.contacts;
  return deployment;
}

ExecutionStatistics read_statistics(const Json& json) {
  const auto count = [&](const char* key) {
    const Json& value = member(json, key);
    return value.is_number() ? value.get<int>() : 0;
  };
  ExecutionStatistics statistics;
  statistics.last_status = parse_execution_status(text::lower(text_of(json, "lastExecutionStatus")));
  statistics.last_time = read_time(text_of(json, "lastExecutionTime"));
  if (member(json, "lastExecutionDuration").is_number()) {
    statistics.last_duration = count("lastExecutionDuration");
  }
  statistics.successful = count("successfulExecutions");
  statistics.failed = count("failedExecutions");
  return statistics;
}

JobOverview read_row(const Json& json) {
  const Json& config = member(json, "config");
  JobOverview row;
  row.job.job_name = text_of(json, "jobName");
  row.job.team = text_of(config, "team");
  row.job.description = text_of(config, "description");
  row.job.schedule_cron = text_of(member(config, "schedule"), "scheduleCron");
  row.job.contacts = read_contacts(member(config, "contacts"));
  const Json& deployments = member(json, "deployments");
  if (!deployments.is_array() || deployments.empty()) {
    return row;
  }
  row.deployment = read_row_deployment(deployments[0], row);
  row.statistics = read_statistics(deployments[0]);
  const Json& executions = member(deployments[0], "executions");
  for (const Json& execution : executions.is_array() ? executions : Json::array()) {
    row.executions.push_back(read_row_execution(execution, row.job.job_name));
  }
  newest_first(row.executions);
  return row;
}

}  // namespace

std::string graphql_text(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      literal += '\\';
    }
    // A line end would end the literal; no name and no pattern has control characters.
    literal += static_cast<unsigned char>(c) < 0x20U ? ' ' : c;
  }
  return literal + "\"";
}

std::string list_query(const std::string& team, const Selection& selection, int page, int size) {
  std::string filter;
  if (!team.empty()) {
    filter = "{ property: \"config.team\", pattern: " + graphql_text(team) + ", sort: ASC }, ";
  }
  return "{ jobs(pageNumber: " + std::to_string(page) + ", pageSize: " + std::to_string(size) + ", filter: [" + filter +
         "{ property: \"jobName\", sort: ASC }]) { " + content(selection) + " } }";
}

std::string jobs_query(const JobQuery& query, const Selection& selection) {
  constexpr int all = 1'000'000;
  std::string text = "{ jobs(pageNumber: " + std::to_string(query.page) +
                     ", pageSize: " + std::to_string(query.size == 0 ? all : query.size);
  if (!query.filter.empty()) {
    std::vector<std::string> predicates;
    for (const JobPredicate& item : query.filter) {
      predicates.push_back(predicate(item));
    }
    text += ", filter: [" + text::join(predicates, ", ") + "]";
  }
  if (!query.search.empty()) {
    text += ", search: " + graphql_text(query.search);
  }
  return text + ") { " + content(selection) + "totalItems totalPages } }";
}

std::string source_url_query(const std::string& job) {
  return "{ jobs(pageNumber: 1, pageSize: 1, filter: [{ property: \"jobName\", pattern: " + graphql_text(job) +
         " }]) { content { jobName config { sourceUrl } } } }";
}

std::vector<JobOverview> read_rows(const Json& data) {
  std::vector<JobOverview> rows;
  const Json& content = member(data, "content");
  for (const Json& row : content.is_array() ? content : Json::array()) {
    rows.push_back(read_row(row));
  }
  return rows;
}

}  // namespace vdk::control::remote

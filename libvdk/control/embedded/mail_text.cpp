// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/mail_text.hpp"

#include <utility>
#include <vector>

namespace vdk::control {
namespace {

/// A log in a mail helps nobody beyond its beginning.
constexpr std::size_t k_longest = 20'000;

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string time_of(const std::optional<TimePoint>& time) { return time ? format_time(*time) : std::string(); }

std::string table(const Facts& facts) {
  std::string rows;
  for (const auto& [name, value] : facts) {
    if (!value.empty()) {
      rows += "<tr><th align=\"left\">" + escape_html(name) + "</th><td>" + escape_html(value) + "</td></tr>\n";
    }
  }
  return "<table cellpadding=\"4\">\n" + rows + "</table>\n";
}

std::string section(const std::string& title, std::string content) {
  if (content.empty()) {
    return {};
  }
  if (content.size() > k_longest) {
    content.resize(k_longest);
    content += "\n[...]";
  }
  return "<h3>" + title + "</h3>\n<pre style=\"white-space: pre-wrap\">" + escape_html(content) + "</pre>\n";
}

std::string document(const std::string& headline, const std::string& body) {
  return "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head>\n<body style=\"font-family: "
         "sans-serif\">\n<h2>" +
         escape_html(headline) + "</h2>\n" + body + "</body></html>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string deployment_mail(const DataJob& job, const Deployment& deployment, const std::string& status,
                            const std::optional<Error>& problem) {
  std::string body = table({{"Data job", job.job_name},
                            {"Team", job.team},
                            {"Status", status},
                            {"Version", deployment.job_version},
                            {"Python", deployment.python_version},
                            {"Schedule", deployment.schedule_cron},
                            {"Deployed by", deployment.last_deployed_by},
                            {"Deployed on", time_of(deployment.last_deployed_date)}});
  if (problem) {
    const ErrorText& text = problem->text();
    body += section("WHAT HAPPENED", text.what) + section("WHY", text.why) +
            section("CONSEQUENCES", text.consequences) + section("COUNTERMEASURES", text.countermeasures);
  }
  return document("Deployment of data job " + job.job_name + (problem ? " failed" : " succeeded"), body);
}

std::string execution_mail(const DataJob& job, const Execution& execution, const std::string& status) {
  const bool failed = execution.status != ExecutionStatus::succeeded;
  const std::string body = table({{"Data job", job.job_name},
                                  {"Team", job.team},
                                  {"Status", status},
                                  {"Execution", execution.id},
                                  {"Type", std::string(to_string(execution.type))},
                                  {"Started by", execution.started_by},
                                  {"Start", time_of(execution.start_time)},
                                  {"End", time_of(execution.end_time)},
                                  {"Version", execution.deployment.job_version},
                                  {"Logs", execution.logs_url}}) +
                           (failed ? section("WHAT HAPPENED", execution.message) : std::string());
  return document("Data job " + job.job_name + (failed ? " failed" : " succeeded"), body);
}

std::string delay_mail(const DataJob& job, const Execution& execution, TimePoint due) {
  return document("Data job " + job.job_name + " is late",
                  table({{"Data job", job.job_name},
                         {"Team", job.team},
                         {"Due at", format_time(due)},
                         {"Tolerated delay", std::to_string(job.notification_delay_period_minutes) + " minutes"},
                         {"Waits for execution", execution.id},
                         {"which started at", time_of(execution.start_time)}}));
}

}  // namespace vdk::control

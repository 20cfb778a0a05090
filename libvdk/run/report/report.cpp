// SPDX-License-Identifier: Apache-2.0
#include "run/report/report.hpp"

#include <algorithm>

#include "run/report/failure_report.hpp"
#include "run/report/json_text.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string name_and_text(const StepResult& step) {
  return step.exception_name.empty() ? step.exception : step.exception_name + ": " + step.exception;
}

/// What is told of a failed step, in the form of the original: where, then what.
std::string place_and_text(const StepResult& step) {
  constexpr std::string_view head = "Traceback (most recent call last):\n";
  const std::string& whole = step.details;
  return whole.empty() ? name_and_text(step) : whole.substr(whole.starts_with(head) ? head.size() : 0);
}

/// Why the run failed, as the message of the exception alone.
std::string reason(const RunResult& result) {
  for (const StepResult& step : result.steps) {
    if (is_failure(step.status) && result.details == name_and_text(step)) {
      return step.exception;
    }
  }
  return result.details;
}

}  // namespace

std::string rows_ingested(long long rows) {
  return std::to_string(rows) + (rows == 1 ? " row ingested" : " rows ingested");
}

std::string short_summary(const RunResult& result) {
  std::string out = std::string("Job execution result: ") + (result.success ? "SUCCESS" : "ERROR");
  if (!result.steps.empty()) {
    out += "\nStep results:";
  }
  for (const StepResult& step : result.steps) {
    out += "\n" + step.name + " - " + text::upper(to_string(step.status));
    if (is_failure(step.status)) {
      out += "\n" + place_and_text(step);
    }
  }
  const bool told = std::any_of(result.steps.begin(), result.steps.end(),
                                [](const StepResult& step) { return is_failure(step.status); });
  if (!result.success && !told) {
    out += "\n    " + text::replace_all(result.details, "\n", "\n    ");
  }
  return out;
}

std::string summary_json(const RunResult& result) {
  Json steps = Json::array();
  for (const StepResult& step : result.steps) {
    const bool failed = is_failure(step.status);
    steps.push_back(Json{{"name", step.name},
                         {"status", to_string(step.status)},
                         {"blamee", text_or_null(to_string(step.blamee))},
                         {"details", failed ? Json(name_and_text(step)) : Json(nullptr)}});
  }
  return dump(Json{{"steps", steps},
                   {"status", result.success ? "success" : "error"},
                   {"blamee", text_or_null(to_string(result.blamee))},
                   {"details", text_or_null(reason(result))}});
}

std::string result_json(const RunResult& result, const std::string& job_name) {
  Json steps = Json::array();
  std::string exception_name;
  for (const StepResult& step : result.steps) {
    steps.push_back(Json{{"name", step.name},
                         {"type", step.type},
                         {"start_time", format_time(step.start_time)},
                         {"end_time", format_time(step.end_time)},
                         {"status", to_string(step.status)},
                         {"details", text_or_null(step.details)},
                         {"exception", text_or_null(step.exception)},
                         {"blamee", text_or_null(to_string(step.blamee))},
                         {"exception_name", text_or_null(step.exception_name)}});
    exception_name = step.exception_name;
  }
  return dump(Json{{"data_job_name", job_name},
                   {"execution_id", result.execution_id},
                   {"start_time", format_time(result.start_time)},
                   {"end_time", format_time(result.end_time)},
                   {"status", result.success ? "success" : "error"},
                   {"steps_list", steps},
                   {"exception", text_or_null(result.details)},
                   {"blamee", text_or_null(to_string(result.blamee))},
                   {"exception_name", text_or_null(exception_name)}});
}

void report(const RunResult& result, const RunRequest& request, const LogLines& lines, bool full) {
  const bool object = request.log_format == LogFormat::json;
  const std::string whole = full || object ? result_json(result, request.job.name) : std::string();
  // The original's is information even then; who has asked for errors only must not miss it.
  const bool loud = !result.success && (object || log::level() > log::Level::info);
  lines.result(loud ? log::Level::error : log::Level::info,
               full ? "Data Job execution summary: " + Json::parse(whole).dump(2) : short_summary(result), whole);
  const std::string failure = request.collected_logs ? std::string() : failure_report(result, request);
  if (!failure.empty()) {
    lines.info(object ? failure : "\n" + failure);
  }
  const std::string path = request.settings.get("job_run_summary_file_path");
  if (!path.empty()) {
    try {
      files::write_atomic(path, summary_json(result));
    } catch (const std::exception& error) {
      lines.warning("the summary of the run could not be written: " + std::string(error.what()));
    }
  }
  write_termination_file(request.settings, result.termination_status);
}

}  // namespace vdk::run

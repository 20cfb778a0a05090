// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "run/session.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// The two or more lines at the end of a run, for people.
[[nodiscard]] std::string short_summary(const RunResult& result);
/// Content of the file that JOB_RUN_SUMMARY_FILE_PATH names.
[[nodiscard]] std::string summary_json(const RunResult& result);
/// The whole result as one JSON object (log_execution_result).
[[nodiscard]] std::string full_json(const RunResult& result, const std::string& job_name);
/// Log the result, write summary and termination files.
void report(const RunResult& result, const RunRequest& request, const LogLines& lines, bool full);

}  // namespace vdk::run

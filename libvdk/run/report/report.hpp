// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "run/session.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// "1 row ingested", "12 rows ingested"
[[nodiscard]] std::string rows_ingested(long long rows);
/// The two or more lines at the end of a run, for people.
[[nodiscard]] std::string short_summary(const RunResult& result);
/// Content of the file that JOB_RUN_SUMMARY_FILE_PATH names.
[[nodiscard]] std::string summary_json(const RunResult& result);
/// Log the result, write summary and termination files.
void report(const RunResult& result, const RunRequest& request, const LogLines& lines, bool full);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/run/run.hpp"

namespace vdk::run {

/// Statements of a person on a command line, and where they go.
struct Query {
  std::string sql;
  bool sqlite = false;  ///< to the database of `sqlite_file`, else to the default one of the settings
};

/// Run them outside of a job and return what the last one gave, as one JSON object: {"columns": [names] or null,
/// "rows": [[values]]}. Bytes that are no text are written as SQL does, X'00ff'. `request` gives settings and, where it
/// has one, the job's folder; a Python is started for databases other than SQLite's. Throws Error(user_code) for what
/// the database refuses.
[[nodiscard]] std::string run_query(const RunRequest& request, const Query& query, const Clock& clock);

}  // namespace vdk::run

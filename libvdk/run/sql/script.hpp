// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk::run {

/// Text by name, for {name} in SQL.
using Values = std::map<std::string, std::string, std::less<>>;

/// Every {name} that has a value replaced, in one pass: a value that holds {other} is not replaced again.
[[nodiscard]] std::string substitute(std::string_view text, const Values& values);

/// A .sql file: its statements and the databases that lines holding just `[name]` choose.
struct SqlText {
  std::string sql;  ///< the `[name]` lines are empty here, so that line numbers stay
  std::vector<std::string> databases;
};
[[nodiscard]] SqlText split_databases(std::string_view text);

/// A statement of a script that failed. Offsets count bytes of `sql`.
struct FailedStatement {
  const std::string& sql;
  std::size_t start = 0;  ///< of the statement, comments in front of it included
  std::size_t at = 0;     ///< what is wrong; below `start` when that is not known
  std::size_t end = 0;
  const std::string& file;
};
/// The error of it, with line, column and source line.
[[nodiscard]] Error statement_error(ErrorKind kind, const FailedStatement& failed, const std::string& why,
                                    const std::string& consequences, const std::string& hint = {});
/// Throws Error(user_code) for what no database takes.
void check_script(const std::string& sql, const std::string& file);
/// How many statements a script of SQLite has; 0 when it is too large to look.
[[nodiscard]] std::size_t count_statements(const std::string& sql);

/// Takes what statements give.
struct RowReader {
  std::function<void(sqlite3_stmt* statement)> on_columns;  ///< before the first row of each statement that gives rows
  std::function<void(sqlite3_stmt* statement)> on_row;
};

/// Run all statements, each committed by itself unless the script opens a transaction. Rows are thrown away, unless
/// `reader` takes them. `prefix` is sent in front of the first statement. Throws Error(user_code) with file and line of
/// the statement. `on_statement` hears which one of how many comes next.
void run_script(sqlite3* db, const std::string& sql, const std::string& file, const std::string& prefix,
                const std::function<void(std::size_t number, std::size_t count)>& on_statement = {},
                const RowReader& reader = {});

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/sql/script.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

/// Where the first word of a statement stands: after white space and comments.
std::size_t skip_comments(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    if (std::isspace(static_cast<unsigned char>(sql[at])) != 0 || sql[at] == ';') {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      const std::size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

SourceLocation locate(const std::string& sql, std::size_t offset, const std::string& file) {
  offset = std::min(offset, sql.size());
  SourceLocation place;
  place.file = file;
  const auto position = static_cast<std::ptrdiff_t>(offset);
  place.line = 1 + static_cast<std::size_t>(std::count(sql.begin(), sql.begin() + position, '\n'));
  const std::size_t before = offset == 0 ? std::string::npos : sql.rfind('\n', offset - 1);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  place.column = offset - start + 1;
  place.text = sql.substr(start, sql.find('\n', start) - start);
  return place;
}

std::string shortened(std::string_view statement) {
  constexpr std::size_t limit = 300;
  const std::string_view trimmed = text::trim(statement);
  return trimmed.size() <= limit ? std::string(trimmed) : std::string(trimmed.substr(0, limit)) + " ...";
}

/// To the end of the statement, or to its failure.
int step_through(sqlite3_stmt* statement, const RowReader& reader) {
  if (reader.on_columns && sqlite3_column_count(statement) > 0) {
    reader.on_columns(statement);
  }
  int code = sqlite3_step(statement);
  while (code == SQLITE_ROW) {
    if (reader.on_row) {
      reader.on_row(statement);
    }
    code = sqlite3_step(statement);
  }
  return code;
}

[[noreturn]] void fail(sqlite3* db, const FailedStatement& failed) {
  throw statement_error(ErrorKind::user_code, failed, sqlite3_errmsg(db),
                        "the statements before it stay done, the ones after it were not run, and the job stops here");
}

}  // namespace

Error statement_error(ErrorKind kind, const FailedStatement& failed, const std::string& why,
                      const std::string& consequences, const std::string& hint) {
  const std::size_t behind = skip_comments(failed.sql, failed.start);
  const std::size_t first = behind < failed.end ? behind : failed.start;
  const SourceLocation place = locate(failed.sql, std::max(first, failed.at), failed.file);
  const std::string statement = shortened(std::string_view(failed.sql).substr(first, failed.end - first));
  const std::string todo = kind == ErrorKind::user_code ? "Correct the statement: "
                                                        : "Try again when the database works; this was not done: ";
  return Error(kind,
               {"cannot run the SQL statement at line " + std::to_string(place.line) + " of " + failed.file, why,
                consequences, hint.empty() ? todo + statement : hint},
               place);
}

void check_script(const std::string& sql, const std::string& file) {
  if (sql.find('\0') != std::string::npos) {
    throw Error(ErrorKind::user_code,
                {"cannot run " + file, "the file contains a NUL byte",
                 "the step was not started and the job stops here", "Save the file as UTF-8 text"});
  }
}

std::string substitute(std::string_view text, const Values& values) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('{', at);
    if (open == std::string_view::npos) {
      break;
    }
    out += text.substr(at, open - at);
    const std::size_t close = text.find_first_of("{}", open + 1);
    if (close != std::string_view::npos && text[close] == '}') {
      const auto found = values.find(text.substr(open + 1, close - open - 1));
      if (found != values.end()) {
        out += found->second;
        at = close + 1;
        continue;
      }
    }
    out += '{';
    at = open + 1;
  }
  return at < text.size() ? out + std::string(text.substr(at)) : out;
}

SqlText split_databases(std::string_view text) {
  SqlText result;
  constexpr std::string_view bom = "\xEF\xBB\xBF";
  if (text.starts_with(bom)) {
    text.remove_prefix(bom.size());
  }
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::string_view trimmed = text::trim(line);
    // Only a line that is nothing else: `[a b], c` is a quoted column name of a query.
    const bool names_database = line.starts_with('[') && trimmed.size() > 2 && trimmed.find(']') == trimmed.size() - 1;
    if (names_database) {
      result.databases.emplace_back(trimmed.substr(1, trimmed.size() - 2));
    } else {
      result.sql += line;
    }
    if (end == std::string_view::npos) {
      break;
    }
    result.sql += '\n';
    text.remove_prefix(end + 1);
  }
  return result;
}

std::size_t count_statements(const std::string& sql) {
  constexpr std::size_t longest_script = 1U << 20U;
  constexpr int most_semicolons = 1'000;  // within quotes or a trigger
  if (sql.size() > longest_script) {
    return 0;
  }
  std::size_t count = 0;
  std::size_t start = 0;
  int tries = 0;
  for (std::size_t end = sql.find(';'); end != std::string::npos; end = sql.find(';', end + 1)) {
    if (skip_comments(sql, start) > end) {  // nothing but comments and semicolons
      continue;
    }
    if (sqlite3_complete(sql.substr(start, end + 1 - start).c_str()) != 0) {
      ++count;
      start = end + 1;
      tries = 0;
    } else if (++tries > most_semicolons) {
      return 0;
    }
  }
  return skip_comments(sql, start) < sql.size() ? count + 1 : count;
}

void run_script(sqlite3* db, const std::string& sql, const std::string& file, const std::string& prefix,
                const std::function<void(std::size_t number, std::size_t count)>& on_statement,
                const RowReader& reader) {
  check_script(sql, file);
  const std::string all = prefix + sql;
  const std::size_t count = on_statement ? count_statements(sql) : 0;
  std::size_t number = 0;
  std::size_t at = 0;
  while (at < all.size()) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int prepared = sqlite3_prepare_v2(db, all.c_str() + at, -1, &raw, &tail);
    const std::unique_ptr<sqlite3_stmt, Finalizer> statement(raw);
    const std::size_t next = tail != nullptr ? static_cast<std::size_t>(tail - all.c_str()) : all.size();
    const std::size_t start = at < prefix.size() ? 0 : at - prefix.size();
    const std::size_t end = next < prefix.size() ? 0 : next - prefix.size();
    if (prepared != SQLITE_OK) {
      const int offset = sqlite3_error_offset(db);
      const std::size_t place = offset < 0 ? 0 : at + static_cast<std::size_t>(offset);
      fail(db, {sql, start, place < prefix.size() ? 0 : place - prefix.size(), end > start ? end : sql.size(), file});
    }
    if (statement && on_statement) {
      on_statement(++number, count);
    }
    if (statement && step_through(statement.get(), reader) != SQLITE_DONE) {
      fail(db, {sql, start, 0, end, file});
    }
    at = next;
  }
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/sql/form.hpp"

#include <algorithm>
#include <cctype>

namespace vdk::run {

namespace {

/// End of what begins at `at` and is to be taken as it is: a string, a quoted name, a {name}. `at` when nothing does.
std::size_t end_of_quoted(std::string_view sql, std::size_t at) {
  const char open = sql[at];
  const char close = open == '[' ? ']' : (open == '{' ? '}' : open);
  if (open != '\'' && open != '"' && open != '`' && open != '[' && open != '{') {
    return at;
  }
  const std::size_t end = sql.find(close, at + 1);
  return end == std::string_view::npos ? sql.size() : end + 1;
}

std::size_t end_of_comment(std::string_view sql, std::size_t at) {
  if (sql.substr(at, 2) == "--") {
    return std::min(sql.find('\n', at), sql.size());
  }
  if (sql.substr(at, 2) == "/*") {
    const std::size_t end = sql.find("*/", at + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return at;
}

}  // namespace

std::string sql_form(std::string_view sql) {
  if (sql.find('$') != std::string_view::npos || sql.find('\\') != std::string_view::npos) {
    return std::string(sql);  // dollar quotes, escapes: which one is which depends on the database
  }
  std::string form;
  bool gap = false;
  std::size_t at = 0;
  while (at < sql.size()) {
    std::size_t end = end_of_comment(sql, at);
    const bool kept = end != at && sql.substr(at, end - at).find('{') != std::string_view::npos;
    if (end != at && !kept) {
      gap = true;
      at = end;
      continue;
    }
    if (end == at && std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      // A line that begins with [ chooses a database, so its line ends count.
      gap = true;
      ++at;
      continue;
    }
    end = kept ? std::min(end + (sql[at] == '-' ? 1 : 0), sql.size()) : std::max(end_of_quoted(sql, at), at + 1);
    const bool line_start = sql[at] == '[' && (at == 0 || sql[at - 1] == '\n');
    if (gap && !form.empty()) {
      form += line_start ? '\n' : ' ';
    }
    gap = false;
    form += sql.substr(at, end - at);
    if (line_start) {
      form +=
          sql.substr(end, sql.find('\n', end) - end).find_first_not_of(" \t\r") == std::string_view::npos ? '\n' : ' ';
    }
    at = end;
  }
  return form;
}

std::set<std::string> placeholders(std::string_view sql) {
  std::set<std::string> names;
  for (std::size_t open = sql.find('{'); open != std::string_view::npos; open = sql.find('{', open + 1)) {
    const std::size_t close = sql.find_first_of("{}", open + 1);
    if (close != std::string_view::npos && sql[close] == '}' && close > open + 1) {
      names.emplace(sql.substr(open + 1, close - open - 1));
    }
  }
  return names;
}

}  // namespace vdk::run

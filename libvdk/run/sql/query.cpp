// SPDX-License-Identifier: Apache-2.0
// Queries of people on a command line, outside of jobs.
#include "vdk/run/query.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

#include "run/python/host.hpp"
#include "run/session.hpp"
#include "run/sql/script.hpp"
#include "run/sql/sqlite_database.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/plugin_commands.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;

std::string sql_bytes(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "X'";
  for (std::size_t i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4U];
    out += digits[bytes[i] & 15U];
  }
  return out + "'";
}

Json value_of(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT: {
      const double number = sqlite3_column_double(row, column);
      return std::isfinite(number) ? Json(number) : Json(number > 0 ? "inf" : "-inf");  // JSON has no word for it
    }
    default:
      break;
  }
  const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  std::string text(reinterpret_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
  return text::is_valid_utf8(text) ? Json(std::move(text)) : Json(sql_bytes(bytes, size));
}

std::string query_file(const std::filesystem::path& path, const std::string& sql) {
  SqliteDatabase database(path);
  Json columns = nullptr;
  Json rows = Json::array();
  const auto begin = [&](std::size_t /*number*/, std::size_t /*count*/) {
    columns = nullptr;
    rows = Json::array();
  };
  RowReader reader;
  reader.on_columns = [&](sqlite3_stmt* statement) {
    columns = Json::array();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      columns.push_back(sqlite3_column_name(statement, i));
    }
  };
  reader.on_row = [&](sqlite3_stmt* statement) {
    Json row = Json::array();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      row.push_back(value_of(statement, i));
    }
    rows.push_back(std::move(row));
  };
  try {
    run_script(database.connection(), sql, "the query", "", begin, reader);
  } catch (const Error& error) {
    ErrorText text = error.text();
    text.consequences = "the statements before it stay done, the ones after it were not run";
    throw Error(error.kind(), text, error.location());
  }
  if (database.close(false)) {
    throw Error(ErrorKind::user_code, {"cannot store what the query did", "it began a transaction and did not end it",
                                       "the transaction was rolled back", "End it with COMMIT"});
  }
  return Json{{"columns", columns}, {"rows", rows}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ask_python(const RunRequest& request, const std::string& sql) {
  std::string warning;
  const std::filesystem::path interpreter =
      request.interpreter.empty() ? choose_interpreter(request.job, warning) : request.interpreter;
  process::Command command;
  command.argv = {interpreter.string(), (sdk_directory() / "host.py").string(), "--query"};
  const Json given{{"executable", files::executable().string()},
                   {"directory", request.job.directory.string()},
                   {"name", request.job.name},
                   {"sql", sql}};
  command.input = given.dump(-1, ' ', false, Json::error_handler_t::replace);
  const process::Result done = process::run(command);
  const Json answer = Json::parse(done.out, nullptr, false);
  if (!answer.is_object()) {
    throw Error(ErrorKind::platform, {"cannot run the query", std::string(text::trim(done.err)),
                                      "its result is not known", "Correct what Python says, and try again"});
  }
  if (!answer.contains("error")) {
    return done.out;
  }
  const std::string blamed = answer.at("blamee");
  const ErrorKind kind = blamed == "user"            ? ErrorKind::user_code
                         : blamed == "configuration" ? ErrorKind::configuration
                                                     : ErrorKind::platform;
  throw Error(kind, {"cannot run the query", answer.at("error"), "what it did is rolled back, or stays as it was",
                     kind == ErrorKind::user_code ? "Correct the query" : "Check the settings of the database"});
}

}  // namespace

std::string run_query(const RunRequest& request, const Query& query, const Clock& clock) {
  const LogLines lines(request.job.name, request.ids, log_shape(request), clock);
  const Session session(request, clock, lines);
  const Databases& databases = *session.databases;
  const std::string name = query.sqlite ? "sqlite" : databases.default_name();
  // Where nothing is said about databases, the one that a plugin brings is the default.
  const bool said =
      query.sqlite || !session.default_database_asked().empty() || !session.setting("sqlite_file").empty();
  const auto file = databases.files().find(name);
  if (file != databases.files().end() &&
      (said || !(session.flag("python_plugins", true) && interpreter_with_plugins()))) {
    return query_file(file->second, query.sql);
  }
  return ask_python(request, query.sql);
}

}  // namespace vdk::run

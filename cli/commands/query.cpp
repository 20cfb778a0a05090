// SPDX-License-Identifier: Apache-2.0
// sql-query, sqlite-query: a look into a database from the command line.
#include "vdk/run/query.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/commands.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/job/job.hpp"

namespace vdk::cli {
namespace {

/// A whole number in a REAL column is shown without its point, as people write it.
void drop_points(Json& rows) {
  constexpr double exact = 9007199254740992.0;
  for (Json& row : rows) {
    for (Json& value : row) {
      if (!value.is_number_float()) {
        continue;
      }
      const double number = value;
      if (number > -exact && number < exact && number == static_cast<double>(static_cast<long long>(number))) {
        value = static_cast<long long>(number);
      }
    }
  }
}

/// A name that comes again gets a number: an object has room for one of each.
std::vector<std::string> distinct(const Json& columns) {
  std::vector<std::string> names;
  for (const Json& column : columns) {
    const std::string name = column;
    std::string free = name;
    for (int number = 2; std::find(names.begin(), names.end(), free) != names.end(); ++number) {
      free = name + "_" + std::to_string(number);
    }
    names.push_back(std::move(free));
  }
  return names;
}

Json objects(const Json& columns, const Json& rows) {
  const std::vector<std::string> names = distinct(columns);
  Json all = Json::array();
  for (const Json& row : rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
      object[names[i]] = row[i];
    }
    all.push_back(std::move(object));
  }
  return all;
}

int run_query_on(bool sqlite, const ParsedCommand& command, Context& context) {
  const std::string sql = command.value_or("query", "");
  if (sql.empty()) {
    throw Error(ErrorKind::usage, {"cannot run a query", "--query is missing or empty", "nothing was done",
                                   "Give one, for example --query \"select * from cars\""});
  }
  job::Job job;
  const std::filesystem::path here = std::filesystem::current_path();
  job.name = here.filename().empty() ? "query" : here.filename().string();
  std::optional<std::filesystem::path> folder;
  if (std::filesystem::exists(here / "config.ini")) {
    job.directory = here;
    job.config = job::load(here).config;
    folder = here;
  }
  const config::Settings settings = config::Settings::from_process(folder);
  const run::RunRequest request{.job = job, .settings = settings, .ids = run::make_ids(settings, *context.clock())};
  Json answer = Json::parse(run::run_query(request, {.sql = sql, .sqlite = sqlite}, *context.clock()));
  const Json& columns = answer.at("columns");
  if (context.json()) {
    print(dump_json(columns.is_null() ? Json::array() : objects(columns, answer.at("rows"))) + "\n");
  } else if (!columns.is_null()) {
    drop_points(answer.at("rows"));
    print(simple_table(columns, answer.at("rows")));
  }
  return 0;
}

}  // namespace

int run_sql_query(const ParsedCommand& command, Context& context) { return run_query_on(false, command, context); }

int run_sqlite_query(const ParsedCommand& command, Context& context) { return run_query_on(true, command, context); }

}  // namespace vdk::cli

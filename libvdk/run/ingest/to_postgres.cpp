// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "run/ingest/ingest.hpp"
#include "run/ingest/rows.hpp"
#include "run/postgres/connection.hpp"
#include "run/postgres/settings.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using Type = simdjson::dom::element_type;
using postgres::Connection;
using postgres::Parameters;
using postgres::Refusal;

struct Mark {
  const char* key;
  const char* type;
};

/// How the host sends what JSON has no word for, and the column that is made for it.
constexpr std::array<Mark, 8> k_marks{{{"$vdk:bytes", "BYTEA"},
                                       {"$vdk:float", "DOUBLE PRECISION"},
                                       {"$vdk:numeric", "NUMERIC"},
                                       {"$vdk:timestamp", "TIMESTAMP"},
                                       {"$vdk:timestamptz", "TIMESTAMPTZ"},
                                       {"$vdk:date", "DATE"},
                                       {"$vdk:time", "TIME"},
                                       {"$vdk:uuid", "UUID"}}};

std::string identifier(std::string_view name) {
  return "\"" + text::replace_all(std::string(name), "\"", "\"\"") + "\"";
}

/// schema.table, each part quoted.
std::string table_identifier(const std::string& table) {
  const std::size_t dot = table.find('.');
  return dot == std::string::npos ? identifier(table)
                                  : identifier(table.substr(0, dot)) + "." + identifier(table.substr(dot + 1));
}

std::string_view type_of(simdjson::dom::element value) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      return "";
    case Type::BOOL:
      return "BOOLEAN";
    case Type::INT64:
      return "BIGINT";
    case Type::UINT64:
      return "NUMERIC";
    case Type::DOUBLE:
      return "DOUBLE PRECISION";
    case Type::STRING:
      return "TEXT";
    default:
      break;
  }
  for (const Mark& mark : k_marks) {
    if (marked(value, mark.key)) {
      return mark.type;
    }
  }
  return "JSONB";
}

std::string_view wider(std::string_view one, std::string_view other) {
  const auto is_number = [](std::string_view type) {
    return type == "BIGINT" || type == "NUMERIC" || type == "DOUBLE PRECISION";
  };
  if (one == other || other.empty()) {
    return one;
  }
  if (one.empty()) {
    return other;
  }
  if (is_number(one) && is_number(other)) {
    return one == "NUMERIC" || other == "NUMERIC" ? "NUMERIC" : "DOUBLE PRECISION";
  }
  return "TEXT";
}

/// Names of a table that is made here are those that SQL without quotes means.
std::string create_statement(const Batch& batch, const std::string& table) {
  const auto types = column_types(batch.rows, batch.columns.size(), type_of, wider);
  constexpr std::size_t longest_name = 63;  // the server cuts what is longer, and would not know it again
  std::string columns;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (batch.columns[i].size() > longest_name) {
      throw bad_rows(batch, "PostgreSQL's names have 63 bytes at most, the column '" + batch.columns[i] + "' has more",
                     "Give the column a shorter name");
    }
    columns += (i == 0 ? "" : ", ") + identifier(text::lower(batch.columns[i])) + " ";
    columns += types[i].empty() ? "TEXT" : types[i];
  }
  return "CREATE TABLE IF NOT EXISTS " + table + " (" + columns + ")";
}

void append_text(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// A list, an object, or what the host has marked; false when infinity hides in it.
bool append_compound(std::string& out, simdjson::dom::element value) {
  for (const Mark& mark : k_marks) {
    if (const auto content = marked(value, mark.key)) {
      out += mark.key == bytes_mark ? "\\\\x" : "";
      append_text(out, *content);
      return true;
    }
  }
  const auto json = json_of(value);
  if (!json) {
    return false;
  }
  append_text(out, *json);
  return true;
}

bool append_cell(std::string& out, simdjson::dom::element value) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      out += "\\N";
      break;
    case Type::BOOL:
      out += value.get_bool().value_unsafe() ? "true" : "false";
      break;
    case Type::INT64:
      append_number(out, value.get_int64().value_unsafe());
      break;
    case Type::UINT64:
      append_number(out, value.get_uint64().value_unsafe());
      break;
    case Type::DOUBLE:
      append_number(out, value.get_double().value_unsafe());
      break;
    case Type::STRING:
      append_text(out, value.get_string().value_unsafe());
      break;
    default:
      return append_compound(out, value);
  }
  return true;
}

/// The rows in COPY's text format.
std::string copy_text(const Batch& batch) {
  std::string out;
  std::size_t number = batch.first;
  for (const auto row : batch.rows.array) {
    std::size_t at = 0;
    for (const auto value : cells_of(row)) {
      out += at == 0 ? "" : "\t";
      const std::size_t begin = out.size();
      if (!append_cell(out, value)) {
        throw bad_rows(batch, place_of(number, batch.columns[at]) + " holds infinity, which JSON cannot hold",
                       "Replace infinite numbers in lists and dictionaries before the rows are sent");
      }
      if (out.find('\0', begin) != std::string::npos) {
        throw bad_rows(batch, place_of(number, batch.columns[at]) + " has a NUL, which text of PostgreSQL cannot hold",
                       "Remove \\x00 from the text, or send bytes");
      }
      ++at;
    }
    out += '\n';
    ++number;
  }
  return out;
}

/// "COPY t, line 3, column a: ..." as a place among the rows of the step; empty when it is said otherwise.
std::string place_in(const Batch& batch, const std::string& context) {
  const std::size_t copy = context.starts_with("COPY ") ? 0 : context.find("\nCOPY ");
  const std::size_t line = copy == std::string::npos ? copy : context.find(", line ", copy);
  if (line == std::string::npos) {
    return "";
  }
  const std::size_t row = batch.first + std::strtoull(context.c_str() + line + 7, nullptr, 10) - 1;
  const std::size_t column = context.find(", column ", line);
  if (column == std::string::npos) {
    return "row " + std::to_string(row) + " of those that this step sent there: ";
  }
  return place_of(row, context.substr(column + 9, context.find(": ", column) - column - 9)) + ": ";
}

Error failure(const Batch& batch, const Refusal& refusal, bool committing) {
  const std::string kind = refusal.state.substr(0, 2);
  // P0: a trigger has refused the row.
  if (kind == "22" || kind == "23" || kind == "3F" || kind == "42" || kind == "44" || kind == "0A" || kind == "P0") {
    return bad_rows(batch, place_in(batch, refusal.context) + refusal.message,
                    "Correct the rows or the table so that they fit each other");
  }
  if (refusal.state == "55P03") {
    return bad_rows(batch, refusal.message + ": another transaction holds the table for more than a minute",
                    "Commit or roll back what other connections of the job have open before rows are sent");
  }
  return Error(ErrorKind::platform,
               {"cannot write rows into '" + batch.table + "' of PostgreSQL", refusal.message,
                committing ? "it is not known whether this batch of rows is stored; the step that sent it fails"
                           : "this batch of rows is not stored, and the step that sent it fails",
                "Check that the server works and can be reached"});
}

bool is_address(std::string_view target) {
  return target.starts_with("postgresql://") || target.starts_with("postgres://") ||
         target.find('=') != std::string_view::npos;
}

class PostgresSink final : public Sink {
 public:
  PostgresSink(Session& session, std::string section) : m_session(session), m_section(std::move(section)) {}
  void write(const Batch& batch) override;

 private:
  [[nodiscard]] Parameters parameters(const std::string& target) const;
  Connection& begin(const std::string& target);
  void store(Connection& connection, const Batch& batch);
  Session& m_session;
  std::string m_section;  ///< empty: [vdk]
  std::map<std::string, std::unique_ptr<Connection>> m_connections;
};

/// `section`: the method's own, the target may name another one.
Parameters PostgresSink::parameters(const std::string& target) const {
  if (is_address(target)) {
    // So that a step can name a database without naming its password.
    Parameters found;
    for (const char* key : {"user", "password"}) {
      const std::string value = m_session.setting(std::string("postgres_") + key, m_section);
      if (!value.empty()) {
        found.emplace_back(key, value);
      }
    }
    found.emplace_back("dbname", target);
    return postgres_parameters(found);
  }
  const auto sections = m_session.request.settings.sections();
  const std::string named = text::lower(target);
  const bool known = std::find(sections.begin(), sections.end(), named) != sections.end();
  const std::string database = known ? named : (m_section.empty() ? "postgres" : m_section);
  if (const auto server = m_session.databases->servers().find(database);
      server != m_session.databases->servers().end()) {
    server->second->note_used();
  }
  const Parameters found = postgres_settings(m_session, known ? named : m_section);
  if (found.empty() && !environment_names_postgres()) {
    throw Error(ErrorKind::configuration,
                {"cannot ingest rows with method 'postgres'", "no database is given",
                 "the rows are not stored, and the step that sent them fails",
                 "Set postgres_host, postgres_port, postgres_dbname and postgres_user in config.ini (the password as "
                 "VDK_POSTGRES_PASSWORD or a secret of the job), or pass target=\"postgresql://USER@HOST:PORT/NAME\""});
  }
  return postgres_parameters(found);
}

/// A transaction on the connection of a target; a connection that broke since the last batch is made anew.
Connection& PostgresSink::begin(const std::string& target) {
  constexpr const char* sql = "BEGIN; SET LOCAL lock_timeout = '60s'";
  auto& slot = m_connections[target];
  if (slot) {
    try {
      slot->execute(sql);
      return *slot;
    } catch (const Refusal&) {
      if (!slot->is_lost()) {
        throw;
      }
    }
  }
  slot.reset();
  slot = std::make_unique<Connection>(parameters(target));
  slot->execute(sql);
  return *slot;
}

void PostgresSink::write(const Batch& batch) {
  if (batch.table.empty()) {
    throw bad_rows(batch, "no destination_table was given", "Pass destination_table with the rows");
  }
  bool committing = false;
  try {
    Connection& connection = begin(batch.target);
    store(connection, batch);
    committing = true;
    connection.execute("COMMIT");
  } catch (const Refusal& refusal) {
    m_connections.erase(batch.target);  // the server rolls back what is open
    throw failure(batch, refusal, committing);
  } catch (...) {
    m_connections.erase(batch.target);
    throw;
  }
}

void PostgresSink::store(Connection& connection, const Batch& batch) {
  constexpr const char* sql =
      "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT "
      "attisdropped ORDER BY attnum";
  std::string table = table_identifier(batch.table);
  std::vector<std::string> names = connection.column(sql, table);
  if (names.empty()) {
    table = table_identifier(text::lower(batch.table));
    names = connection.column(sql, table);
  }
  const std::string data = copy_text(batch);
  if (names.empty()) {
    connection.execute(create_statement(batch, table));
  }
  std::string columns;
  std::vector<std::string> unknown;
  for (const std::string& column : batch.columns) {
    const auto has = [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!names.empty() && !has(column) && !has(text::lower(column))) {
      unknown.push_back(column);
    }
    columns += (columns.empty() ? "" : ", ") + identifier(has(column) ? column : text::lower(column));
  }
  if (!unknown.empty()) {
    throw bad_rows(batch, "the table has no column " + text::quoted_list(unknown),
                   "Send only these columns: " + text::quoted_list(names) + ", or change the table first");
  }
  connection.copy("COPY " + table + " (" + columns + ") FROM STDIN", data);
}

}  // namespace

std::unique_ptr<Sink> make_postgres_sink(Session& session, const std::string& section) {
  return std::make_unique<PostgresSink>(session, section);
}

}  // namespace vdk::run

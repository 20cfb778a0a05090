// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>

#include "run/ingest/ingest.hpp"
#include "run/ingest/rows.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using Type = simdjson::dom::element_type;

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

std::string identifier(std::string_view name) {
  return "\"" + text::replace_all(std::string(name), "\"", "\"\"") + "\"";
}

Error misfit(const Batch& batch, int code, const std::string& place) {
  if (code == SQLITE_RANGE) {
    return bad_rows(batch, place + " is an integer of 64 bits without sign, which SQLite cannot hold",
                    "Send integers up to 9223372036854775807, or send the number as text");
  }
  if (code == SQLITE_MISMATCH) {
    return bad_rows(batch, place + " holds an infinite number in a list or dictionary, for which JSON has no word",
                    "Replace infinite numbers before the rows are sent");
  }
  if (code == SQLITE_CONSTRAINT) {
    return bad_rows(batch, place + " has more digits than its column of numbers can keep",
                    "Make the column TEXT, or round the value before it is sent");
  }
  return bad_rows(batch, place + " is too large for SQLite", "Send smaller values");
}

Error sqlite_failure(const Batch& batch, sqlite3* db, const std::string& where = {}) {
  const int code = sqlite3_errcode(db) & 0xFF;
  const std::string why = sqlite3_errmsg(db) + where;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return bad_rows(
        batch, why + ": another connection holds the database",
        "Commit or roll back transactions and read cursors to the end before rows are sent to the same file");
  }
  if (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CORRUPT || code == SQLITE_CANTOPEN) {
    return Error(ErrorKind::platform, {"cannot write rows into '" + batch.table + "'", why,
                                       "this batch of rows is not stored, and the step that sent it fails",
                                       "Check the disk and the database file"});
  }
  return bad_rows(batch, why, "Correct the rows or the table so that they fit each other");
}

void execute(sqlite3* db, const std::string& sql, const Batch& batch) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw sqlite_failure(batch, db);
  }
}

/// A batch is stored whole or not at all; inside a transaction that a .sql step left open it is a part of that one.
class BatchTransaction {
 public:
  BatchTransaction(sqlite3* db, const Batch& batch)
      : m_db(db), m_batch(batch), m_nested(sqlite3_get_autocommit(db) == 0) {
    execute(db, m_nested ? "SAVEPOINT vdk_batch" : "BEGIN IMMEDIATE", batch);
  }
  void commit() {
    execute(m_db, m_nested ? "RELEASE vdk_batch" : "COMMIT", m_batch);
    m_done = true;
  }
  ~BatchTransaction() {
    if (!m_done) {
      const char* undo = m_nested ? "ROLLBACK TO vdk_batch; RELEASE vdk_batch" : "ROLLBACK";
      sqlite3_exec(m_db, undo, nullptr, nullptr, nullptr);
    }
  }
  BatchTransaction(const BatchTransaction&) = delete;
  BatchTransaction& operator=(const BatchTransaction&) = delete;

 private:
  sqlite3* m_db;
  const Batch& m_batch;
  bool m_nested;
  bool m_done = false;
};

/// What SQLite does to the values of a column, by its declared type.
enum class Affinity { none, text, integer, real };

Affinity affinity_of(const std::string& declared) {
  const std::string type = text::upper(declared);
  const auto has = [&type](const char* part) { return type.find(part) != std::string::npos; };
  if (has("INT")) {
    return Affinity::integer;
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return Affinity::text;
  }
  if (type.empty() || has("BLOB")) {
    return Affinity::none;
  }
  return has("REAL") || has("FLOA") || has("DOUB") ? Affinity::real
                                                   : Affinity::integer;  // or NUMERIC, which is as INTEGER
}

struct Column {
  std::string name;
  Affinity affinity;
};

std::vector<Column> table_columns(sqlite3* db, const Batch& batch) {
  sqlite3_stmt* raw = nullptr;
  const std::string sql = "PRAGMA table_info(" + identifier(batch.table) + ")";
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    throw sqlite_failure(batch, db);
  }
  const Statement statement(raw);
  const auto text_of = [raw](int at) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, at));
    return std::string(text == nullptr ? "" : text);
  };
  std::vector<Column> columns;
  while (sqlite3_step(raw) == SQLITE_ROW) {
    columns.push_back({text_of(1), affinity_of(text_of(2))});
  }
  return columns;
}

std::string_view type_of(simdjson::dom::element value) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      return "";
    case Type::BOOL:
    case Type::INT64:
    case Type::UINT64:
      return "INTEGER";
    case Type::DOUBLE:
      return "REAL";
    case Type::OBJECT:
      return marked(value, bytes_mark) ? "BLOB" : (marked(value, float_mark) ? "REAL" : "TEXT");
    default:
      return "TEXT";
  }
}

/// The type of a column that holds values of both types; "" is that of NULL.
std::string_view common_type(std::string_view a, std::string_view b) {
  if (a == b || b.empty()) {
    return a;
  }
  if (a.empty()) {
    return b;
  }
  const auto numeric = [](std::string_view type) { return type == "INTEGER" || type == "REAL"; };
  return numeric(a) && numeric(b) ? "REAL" : "TEXT";
}

std::string create_statement(const Batch& batch) {
  std::string columns;
  const auto types = column_types(batch.rows, batch.columns.size(), type_of, common_type);
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + identifier(batch.columns[i]) + " ";
    columns += types[i].empty() ? "TEXT" : types[i];
  }
  return "CREATE TABLE IF NOT EXISTS " + identifier(batch.table) + " (" + columns + ")";
}

std::vector<std::string> missing(const std::vector<std::string>& from, const std::vector<std::string>& in) {
  std::vector<std::string> result;
  for (const std::string& name : from) {
    const auto same = [&](const std::string& other) { return text::lower(other) == text::lower(name); };
    if (std::none_of(in.begin(), in.end(), same)) {
      result.push_back(name);
    }
  }
  return result;
}

std::vector<Affinity> affinities_of(const Batch& batch, const std::vector<Column>& table) {
  std::map<std::string, Affinity> known;
  for (const Column& column : table) {
    known.emplace(text::lower(column.name), column.affinity);
  }
  std::vector<Affinity> found;
  for (const std::string& name : batch.columns) {
    const auto at = known.find(text::lower(name));
    found.push_back(at == known.end() ? Affinity::none : at->second);
  }
  return found;
}

void check_columns(const Batch& batch, const std::vector<Column>& columns) {
  std::vector<std::string> table;
  for (const Column& column : columns) {
    table.push_back(column.name);
  }
  const auto extra = missing(batch.columns, table);
  const auto absent = missing(table, batch.columns);
  if (extra.empty() && absent.empty() && table.size() == batch.columns.size()) {
    return;
  }
  std::string why = "the columns of the rows are not the columns of the table";
  why += extra.empty() ? "" : "; only in the rows: " + text::quoted_list(extra);
  why += absent.empty() ? "" : "; only in the table: " + text::quoted_list(absent);
  throw bad_rows(batch, why,
                 "Send rows with exactly these columns: " + text::quoted_list(table) + ", or change the table first");
}

int bind_bytes(sqlite3_stmt* statement, int at, std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return sqlite3_bind_blob64(statement, at, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

int bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  return sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// SQLite itself would round to 15 digits, silently.
int bind_exact(sqlite3_stmt* statement, int at, std::string_view digits, Affinity affinity) {
  if (affinity == Affinity::text || affinity == Affinity::none) {
    return bind_text(statement, at, digits);
  }
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(digits.begin(), digits.end(), number);
  const bool whole = code == std::errc() && end == digits.end();
  return whole && affinity == Affinity::integer ? sqlite3_bind_int64(statement, at, number) : SQLITE_CONSTRAINT;
}

int bind_integer(sqlite3_stmt* statement, int at, std::int64_t number, Affinity affinity) {
  constexpr double limit = 9223372036854775808.0;
  const auto nearest = static_cast<double>(number);
  const bool fits = nearest != limit && static_cast<std::int64_t>(nearest) == number;
  return fits || affinity != Affinity::real ? sqlite3_bind_int64(statement, at, number) : SQLITE_CONSTRAINT;
}

/// A column of texts gets all digits, where SQLite would write 15.
int bind_double(sqlite3_stmt* statement, int at, double number, Affinity affinity) {
  if (affinity == Affinity::text) {
    std::array<char, 40> text{};
    (void)std::snprintf(text.data(), text.size(), "%.15g", number);
    if (std::strtod(text.data(), nullptr) != number) {
      const auto shortest = std::to_chars(text.data(), text.data() + text.size(), number);
      return bind_text(statement, at, {text.data(), static_cast<std::size_t>(shortest.ptr - text.data())});
    }
  }
  return sqlite3_bind_double(statement, at, number);
}

int bind_compound(sqlite3_stmt* statement, int at, simdjson::dom::element value, Affinity affinity) {
  if (const auto hex = marked(value, bytes_mark)) {
    return bind_bytes(statement, at, *hex);
  }
  if (const auto number = marked(value, float_mark)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return sqlite3_bind_double(statement, at, *number == "inf" ? infinity : -infinity);
  }
  if (const auto digits = exact_number(value)) {
    return bind_exact(statement, at, *digits, affinity);
  }
  const std::optional<std::string> json = json_of(value);
  return json ? bind_text(statement, at, *json) : SQLITE_MISMATCH;
}

int bind(sqlite3_stmt* statement, int at, simdjson::dom::element value, Affinity affinity) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      return sqlite3_bind_null(statement, at);
    case Type::BOOL:
      return sqlite3_bind_int(statement, at, value.get_bool().value_unsafe() ? 1 : 0);
    case Type::INT64:
      return bind_integer(statement, at, value.get_int64().value_unsafe(), affinity);
    case Type::DOUBLE:
      return bind_double(statement, at, value.get_double().value_unsafe(), affinity);
    case Type::STRING: {
      const std::string_view s = value.get_string().value_unsafe();
      return sqlite3_bind_text64(statement, at, s.data(), s.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    case Type::UINT64:
      return SQLITE_RANGE;
    default:
      return bind_compound(statement, at, value, affinity);
  }
}

class SqliteSink final : public Sink {
 public:
  SqliteSink(Session& session, std::string database) : m_session(session), m_database(std::move(database)) {}
  void write(const Batch& batch) override;

 private:
  static void insert(sqlite3* db, const Batch& batch, const std::vector<Column>& table);
  Session& m_session;
  std::string m_database;
};

void SqliteSink::write(const Batch& batch) {
  if (batch.table.empty()) {
    throw bad_rows(batch, "no destination_table was given", "Pass destination_table with the rows");
  }
  const std::filesystem::path file =
      batch.target.empty() ? m_session.databases->file(m_database) : std::filesystem::path(batch.target);
  sqlite3* db = m_session.databases->connection(file);
  BatchTransaction transaction(db, batch);
  std::vector<Column> table = table_columns(db, batch);
  if (table.empty()) {
    if (!m_session.flag("sqlite_ingest_auto_create_table_enabled", true)) {
      throw bad_rows(batch, "the table does not exist and sqlite_ingest_auto_create_table_enabled is false",
                     "Create the table in an earlier step, or enable that setting");
    }
    execute(db, create_statement(batch), batch);
    table = table_columns(db, batch);
  } else {
    check_columns(batch, table);
  }
  insert(db, batch, table);
  transaction.commit();
}

void SqliteSink::insert(sqlite3* db, const Batch& batch, const std::vector<Column>& table) {
  const std::vector<Affinity> affinities = affinities_of(batch, table);
  std::string names;
  std::string places;
  for (const std::string& column : batch.columns) {
    names += (names.empty() ? "" : ", ") + identifier(column);
    places += places.empty() ? "?" : ", ?";
  }
  const std::string sql = "INSERT INTO " + identifier(batch.table) + " (" + names + ") VALUES (" + places + ")";
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    throw sqlite_failure(batch, db);
  }
  const Statement statement(raw);
  std::size_t number = batch.first;
  for (const auto row : batch.rows.array) {
    int at = 0;
    for (const auto value : cells_of(row)) {
      ++at;
      if (const int code = bind(raw, at, value, affinities[static_cast<std::size_t>(at) - 1]); code != SQLITE_OK) {
        throw misfit(batch, code, place_of(number, batch.columns[static_cast<std::size_t>(at) - 1]));
      }
    }
    if (sqlite3_step(raw) != SQLITE_DONE) {
      throw sqlite_failure(batch, db, " (row " + std::to_string(number) + " of those that this step sent there)");
    }
    sqlite3_reset(raw);
    ++number;
  }
}

}  // namespace

std::unique_ptr<Sink> make_sqlite_sink(Session& session, std::string database) {
  return std::make_unique<SqliteSink>(session, std::move(database));
}

}  // namespace vdk::run

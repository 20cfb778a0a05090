// SPDX-License-Identifier: Apache-2.0
// What Python steps ask of the connection to a PostgreSQL server: the other side is
// plugins/job-sdk/vdk/sdk/postgres.py.
#include <nlohmann/json.hpp>

#include <cstdlib>

#include "run/postgres/library.hpp"
#include "run/postgres/postgres_database.hpp"

namespace vdk::run {

namespace {

using postgres::Connection;
using postgres::pq;
using postgres::Refusal;
using postgres::Transaction;

/// Rows of one message to the Python side, so that neither side holds more of a result than it must.
constexpr std::size_t piece_bytes = 512U << 10U;

std::string ok(const std::string& members) { return "{\"ok\":true,\"value\":{" + members + "}}"; }

const char* word_of(ErrorKind kind) {
  return kind == ErrorKind::user_code ? "user" : (kind == ErrorKind::configuration ? "configuration" : "platform");
}

Refusal lost_work() {
  Refusal refusal;
  refusal.state = "25P02";
  refusal.message = refusal.primary =
      "the connection broke while a transaction was open, and what it did is not stored: call rollback() to go on";
  return refusal;
}

/// Text in a database without an encoding may be anything.
std::string checked(const PostgresRows& rows, bool with_columns) {
  if (!rows.is_text()) {
    Refusal refusal;
    refusal.state = "22021";
    refusal.message = refusal.primary = "the database holds text that is not UTF-8";
    refusal.hint = "convert it in the query, for example by convert_from(column::bytea, 'LATIN1')";
    throw Refusal(refusal);
  }
  return rows.members(with_columns);
}

}  // namespace

std::string PostgresDatabase::state_name() const {
  if (!m_connection) {
    return "idle";
  }
  switch (m_connection->transaction()) {
    case Transaction::idle:
      return "idle";
    case Transaction::active:
      return "active";
    case Transaction::open:
      return m_asked ? "begun" : "open";
    default:
      return "failed";
  }
}

std::string PostgresDatabase::refused(const Refusal& refusal, const Sent& sent) {
  const bool known = refusal.position > sent.prefix;
  const std::size_t position =
      known ? refusal.position - sent.prefix + sent.start : (sent.one_of_many ? sent.start + 1 : 0);
  Json error{{"blamee", word_of(kind_of(refusal))},
             {"pgcode", refusal.state},
             {"message_primary", refusal.primary},
             {"message_detail", refusal.detail},
             {"message_hint", refusal.hint},
             {"context", refusal.context},
             {"position", position},
             {"schema_name", refusal.schema},
             {"table_name", refusal.table},
             {"column_name", refusal.column},
             {"datatype_name", refusal.type},
             {"constraint_name", refusal.constraint}};
  if (m_connection && m_connection->is_lost()) {
    m_lost_work = m_open;
    drop();
  }
  const Json value{{"error", error}, {"state", m_lost_work ? "failed" : state_name()}};
  return "{\"ok\":true,\"value\":" + value.dump(-1, ' ', false, Json::error_handler_t::replace) + "}";
}

void PostgresDatabase::begin_stream(const std::string& text, Stream stream) {
  stream.before = m_connection->transaction();
  m_connection->send(text);
  m_stream = std::move(stream);
}

void PostgresDatabase::take_row(PostgresRows& rows, const pg_result* result) {
  Stream& stream = *m_stream;
  const ExecStatusType status = pq().PQresultStatus(result);
  if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
    if (stream.ended) {
      rows.begin(result);
      stream.affected = 0;
    }
    stream.ended = status == PGRES_TUPLES_OK;
    if (!stream.ended) {
      rows.add(result);
      ++stream.affected;
      ++stream.total;
    }
    return;
  }
  rows.clear();
  stream.ended = true;
  if (status == PGRES_COMMAND_OK) {
    stream.affected = std::strtoll(pq().PQcmdTuples(const_cast<pg_result*>(result)), nullptr, 10);
    stream.total += stream.affected;
  }
}

/// Rows up to the limit of a message, or all that is left.
std::string PostgresDatabase::next_piece() {
  PostgresRows rows;
  std::string tag;
  Stream& stream = *m_stream;
  while (Connection::Result result = m_connection->take()) {
    stream.copies = stream.copies || Connection::is_copy(result.get());
    if (Connection::is_bad(result.get())) {
      stream.bad = stream.bad ? std::move(stream.bad) : std::move(result);
      continue;
    }
    take_row(rows, result.get());
    if (stream.ended) {
      tag = pq().PQcmdStatus(result.get());
    }
    if (stream.single && rows.size() > piece_bytes) {
      const std::string members = checked(rows, !stream.told_columns);
      stream.told_columns = true;
      return ok(members + ",\"more\":true,\"state\":\"active\"");
    }
  }
  const std::string counts =
      ",\"count\":" + std::to_string(stream.affected) + ",\"total\":" + std::to_string(stream.total);
  const bool with_columns = !stream.told_columns;
  const Sent sent = stream.sent;
  const bool settles = stream.settles;
  if (const auto refusal = end_stream()) {
    const std::string failure = refused(*refusal, sent);
    if (settles) {
      roll_back();
      m_lost_work = false;
    }
    return failure;
  }
  return ok(checked(rows, with_columns) + ",\"more\":false,\"tag\":" + Json(tag).dump() + counts + ",\"state\":\"" +
            state_name() + "\"");
}

/// Behind the last row: why the statement failed, nothing when all is well.
std::optional<Refusal> PostgresDatabase::end_stream() {
  const Stream stream = std::move(*m_stream);
  m_stream.reset();
  if (!m_connection->is_lost()) {
    note_transaction(stream.before);
  }
  std::optional<Refusal> refusal;
  if (stream.copies) {
    refusal = refused_copy();
  } else if (stream.bad || m_connection->is_lost()) {
    refusal = m_connection->refusal_of(stream.bad.get());
  }
  try {
    if (!refusal && stream.settles) {
      commit_own();
    }
  } catch (const Refusal& no) {
    refusal = no;
  }
  return refusal;
}

/// Nobody wants the rest of the rows; the statement itself goes to its end. Throws when it fails there, for what comes
/// next, a commit most of all, must not go on as if it had not.
void PostgresDatabase::discard_stream() {
  if (!m_stream) {
    return;
  }
  while (Connection::Result result = m_connection->take()) {
    if (!m_stream->bad && Connection::is_bad(result.get())) {
      m_stream->bad = std::move(result);
    }
  }
  const bool settles = m_stream->settles;
  if (auto refusal = end_stream()) {
    if (settles) {
      roll_back();
    }
    refusal->position = 0;  // in another statement than the one that is told
    throw Refusal(std::move(*refusal));
  }
}

std::string PostgresDatabase::execute(const Json& request) {
  const std::string& sql = request.at("sql").get_ref<const std::string&>();
  const std::string& prefix = request.at("prefix").get_ref<const std::string&>();
  const auto parts = split_statements(sql, m_connection->reported("standard_conforming_strings") == "off");
  const std::string word = parts.empty() ? "" : first_word(std::string_view(sql).substr(parts.front().start));
  const bool settles = request.value("settles", false);
  if (request.value("begin", false) && word != "begin" && word != "start" &&
      m_connection->transaction() == Transaction::idle) {
    m_connection->execute("BEGIN");
    m_open = true;
  }
  Stream stream;
  stream.sent.prefix = count_characters(prefix);
  stream.single = parts.size() <= 1;
  stream.settles = settles;
  begin_stream(prefix + sql, std::move(stream));
  return next_piece();
}

/// A script as .sql steps run it; what its last statement gives is the answer.
std::string PostgresDatabase::script(const Json& request) {
  const std::string& sql = request.at("sql").get_ref<const std::string&>();
  const std::string& prefix = request.at("prefix").get_ref<const std::string&>();
  const auto parts = split_statements(sql, m_connection->reported("standard_conforming_strings") == "off");
  const auto sent = [&](const StatementPlace& part) {
    return Sent{count_characters(prefix), count_characters(std::string_view(sql).substr(0, part.start)), true};
  };
  if (parts.empty()) {
    return ok("\"columns\":null,\"rows\":[],\"more\":false,\"tag\":\"\",\"count\":0,\"total\":0,\"state\":\"idle\"");
  }
  try {
    run_parts(sql, parts, prefix, parts.size() - 1);
  } catch (const Refusal& refusal) {
    const std::string answer = refused(refusal, sent(parts[m_failed]));
    roll_back();
    m_lost_work = false;
    return answer;
  }
  const StatementPlace& last = parts.back();
  Stream stream;
  stream.sent = sent(last);
  stream.single = true;
  stream.settles = true;
  begin_stream(prefix + sql.substr(last.start, last.end - last.start), std::move(stream));
  return next_piece();
}

std::string PostgresDatabase::end_transaction(bool commit) {
  const bool lost = m_lost_work;
  m_lost_work = false;
  if (lost && commit) {
    return refused(lost_work(), {});
  }
  try {
    if (m_connection->transaction() != Transaction::idle) {
      m_connection->execute(commit ? "COMMIT" : "ROLLBACK");
    }
  } catch (const Refusal& refusal) {
    const std::string answer = refused(refusal, {});
    roll_back();
    return answer;
  }
  m_open = false;
  m_asked = false;
  return ok("\"state\":\"idle\"");
}

std::string PostgresDatabase::answer(const Json& request, int socket) {
  m_socket = socket;
  const std::string reply = respond(request);
  if (m_connection) {
    m_connection->watch(-1);
  }
  return reply;
}

std::string PostgresDatabase::respond(const Json& request) {
  const std::string op = request.at("op");
  if (op == "close") {
    drop();
    m_lost_work = false;
    return ok("\"state\":\"idle\"");
  }
  try {
    if (op == "more") {
      if (!m_stream) {
        return ok("\"rows\":[],\"more\":false,\"tag\":\"\",\"count\":0,\"total\":0,\"state\":\"" + state_name() + "\"");
      }
      m_connection->watch(m_socket);
      return next_piece();
    }
    (void)connection();
    m_connection->watch(m_socket);
    if (op == "open") {
      return ok("\"state\":\"" + std::string(m_lost_work ? "failed" : state_name()) +
                "\",\"version\":" + std::to_string(m_connection->version()));
    }
    discard_stream();
    if (op == "written") {
      return ok(has_written() ? "\"written\":true" : "\"written\":false");
    }
    if (op == "commit" || op == "rollback") {
      return end_transaction(op == "commit");
    }
    if (m_lost_work) {
      return refused(lost_work(), {});
    }
    if (op == "execute") {
      return execute(request);
    }
    return script(request);
  } catch (const Refusal& refusal) {
    return refused(refusal, {});
  }
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <optional>
#include <string>

#include "run/postgres/connection.hpp"
#include "run/postgres/rows.hpp"
#include "run/report/log_lines.hpp"
#include "run/sql/database.hpp"
#include "run/sql/split.hpp"

namespace vdk::run {

/// A database of a PostgreSQL server. A script is one transaction unless it begins one by itself; a transaction that a
/// script or a step begins by BEGIN stays until its COMMIT.
class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::string name, postgres::Parameters settings, const LogLines& lines);

  void run_script(const std::string& sql, const std::string& place, const std::string& prefix) override;
  [[nodiscard]] std::string open_state() override;
  [[nodiscard]] bool close(bool stamped) override;
  [[nodiscard]] std::string answer(const nlohmann::ordered_json& request, int socket) override;
  [[nodiscard]] std::string stamp() override;
  [[nodiscard]] std::string identity() override;

 private:
  using Json = nlohmann::ordered_json;
  /// What `text` is that goes to the server: where positions in it are counted from, in a script or a query.
  struct Sent {
    std::size_t prefix = 0;    ///< characters in front of the statement
    std::size_t start = 0;     ///< of the statement, in characters of the whole
    bool one_of_many = false;  ///< its start is worth telling when the server knows no position
  };
  /// Rows that a Python step has not fetched yet.
  struct Stream {
    Sent sent;
    bool single = false;   ///< one statement: rows can be handed over before the end is known
    bool settles = false;  ///< the end of the statement is the end of its transaction
    bool ended = true;     ///< the next row belongs to another result
    bool told_columns = false;
    bool copies = false;
    long long affected = 0;  ///< rows, by the last statement
    long long total = 0;     ///< by all
    postgres::Transaction before = postgres::Transaction::idle;
    postgres::Connection::Result bad;
  };

  // postgres_database.cpp
  postgres::Connection& connection();
  void connect();
  void drop();
  void run_statement(const std::string& text);
  void note_transaction(postgres::Transaction before);
  void commit_own();
  void roll_back();
  void prepare_script(const std::string& place);
  [[nodiscard]] std::string value(const std::string& sql);
  [[nodiscard]] bool has_written();
  void run_parts(const std::string& sql, const std::vector<StatementPlace>& parts, const std::string& prefix,
                 std::size_t count);
  [[nodiscard]] std::string ask_stamp();
  void ask_identity();

  // postgres_answer.cpp
  void begin_stream(const std::string& text, Stream stream);
  [[nodiscard]] std::string next_piece();
  [[nodiscard]] std::optional<postgres::Refusal> end_stream();
  [[nodiscard]] std::string respond(const Json& request);
  void take_row(PostgresRows& rows, const pg_result* result);
  void discard_stream();
  [[nodiscard]] std::string execute(const Json& request);
  [[nodiscard]] std::string script(const Json& request);
  [[nodiscard]] std::string end_transaction(bool commit);
  [[nodiscard]] std::string refused(const postgres::Refusal& refusal, const Sent& sent);
  [[nodiscard]] std::string state_name() const;

  std::string m_name;
  postgres::Parameters m_settings;
  const LogLines& m_lines;
  std::unique_ptr<postgres::Connection> m_connection;
  std::optional<Stream> m_stream;
  int m_socket = -1;
  bool m_open = false;       ///< a transaction was open behind the last statement
  bool m_asked = false;      ///< a statement of the job began it
  bool m_lost_work = false;  ///< the connection broke with a transaction open, and nobody was told yet
  std::string m_identity;
  std::string m_stamp;       ///< when it was closed
  std::size_t m_failed = 0;  ///< the part of a script that failed
};

/// What a COPY from or to the client is answered with.
[[nodiscard]] postgres::Refusal refused_copy();
/// Who has to act on what the server refused.
[[nodiscard]] ErrorKind kind_of(const postgres::Refusal& refusal);
/// Characters of UTF-8 text.
[[nodiscard]] std::size_t count_characters(std::string_view text);

}  // namespace vdk::run

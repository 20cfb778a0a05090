// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vdk/core/error.hpp"

struct pg_conn;
struct pg_result;

namespace vdk::run::postgres {

/// What the server answered instead of a result.
struct Refusal {
  std::string state;    ///< SQLSTATE; empty when the connection broke
  std::string message;  ///< with the detail
  std::string context;  ///< where in the data or in a function, as the server words it
  std::string primary, detail, hint;
  std::size_t position = 0;  ///< in what was sent, in characters from 1; 0 = not known
  std::string schema, table, column, type, constraint;
};

/// Where a connection is between BEGIN and COMMIT.
enum class Transaction { idle, active, open, failed, lost };

/// Keywords of libpq in the order in which later ones win. A "dbname" may be a whole connection string.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A connection to a PostgreSQL server. libpq is loaded by the first one.
class Connection {
 private:
  struct ResultCloser {
    void operator()(pg_result* result) const noexcept;
  };

 public:
  using Result = std::unique_ptr<pg_result, ResultCloser>;

  /// Throws Error: no library, a malformed address, a server that refuses or does not answer.
  explicit Connection(const Parameters& parameters);

  /// Run one or more statements without results; throws Refusal, or Error when a signal ends the run.
  void execute(const std::string& sql);
  /// First column of the rows of one statement with one parameter.
  [[nodiscard]] std::vector<std::string> column(const std::string& sql, const std::string& parameter);
  /// Store `data` (COPY's text format) by a statement COPY ... FROM STDIN.
  void copy(const std::string& sql, const std::string& data);
  /// Send statements whose rows are taken one by one; throws Refusal when they cannot be sent.
  void send(const std::string& sql);
  /// The next row or the end of a result of what was sent, null behind the last one. What is bad is returned, too:
  /// `refusal_of` tells. Throws Error when a signal ends the run.
  [[nodiscard]] Result take();
  [[nodiscard]] static bool is_bad(const pg_result* result);
  /// The statement wants to copy from or to us, which `take` has refused.
  [[nodiscard]] static bool is_copy(const pg_result* result);
  [[nodiscard]] Refusal refusal_of(const pg_result* result) const;
  /// Ask the server to give up what it is doing.
  void cancel() const;
  /// While statements run, this socket is looked at: when something comes or it ends, they are cancelled. -1: none.
  void watch(int socket) { m_watched = socket; }
  [[nodiscard]] Transaction transaction() const;
  /// The connection cannot be used any more.
  [[nodiscard]] bool is_lost() const;
  /// The same, after a look whether the server has closed it meanwhile.
  [[nodiscard]] bool was_closed() const;
  /// What the server reported of a setting, such as TimeZone.
  [[nodiscard]] std::string reported(const char* setting) const;
  /// Version of the server, as 150004.
  [[nodiscard]] int version() const;
  /// host:port/database, as the connection was made.
  [[nodiscard]] std::string address() const;

 private:
  struct Closer {
    void operator()(pg_conn* connection) const noexcept;
  };
  void connect(const Parameters& parameters);
  void wait();
  Result take_result();
  Result finish();
  [[noreturn]] void refuse(const pg_result* result) const;
  std::unique_ptr<pg_conn, Closer> m_connection;
  int m_watched = -1;
  bool m_cancelled = false;
};

}  // namespace vdk::run::postgres

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
  std::string state;  ///< SQLSTATE; empty when the connection broke
  std::string message;
  std::string context;  ///< where in the data, as the server words it
};

/// Keywords of libpq in the order in which later ones win. A "dbname" may be a whole connection string.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A connection to a PostgreSQL server. libpq is loaded by the first one.
class Connection {
 public:
  /// Throws Error: no library, a malformed address, a server that refuses or does not answer.
  explicit Connection(const Parameters& parameters);

  /// Run one or more statements without results; throws Refusal, or Error when a signal ends the run.
  void execute(const std::string& sql);
  /// First column of the rows of one statement with one parameter.
  [[nodiscard]] std::vector<std::string> column(const std::string& sql, const std::string& parameter);
  /// Store `data` (COPY's text format) by a statement COPY ... FROM STDIN.
  void copy(const std::string& sql, const std::string& data);
  /// The connection cannot be used any more.
  [[nodiscard]] bool is_lost() const;

 private:
  struct Closer {
    void operator()(pg_conn* connection) const noexcept;
  };
  struct ResultCloser {
    void operator()(pg_result* result) const noexcept;
  };
  using Result = std::unique_ptr<pg_result, ResultCloser>;
  void connect(const Parameters& parameters);
  void wait() const;
  Result take_result() const;
  Result finish();
  [[noreturn]] void refuse(const pg_result* result) const;
  std::unique_ptr<pg_conn, Closer> m_connection;
};

}  // namespace vdk::run::postgres

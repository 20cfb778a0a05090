// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/session.hpp"

namespace vdk::run {

struct Rows;  ///< parsed rows of one batch (ingest_rows.hpp)

struct Batch {
  std::string method;
  std::string target;
  std::string table;
  std::string collection;
  std::vector<std::string> columns;
  const Rows& rows;
  std::size_t first = 1;  ///< number of the first row among those that the step sent to this table
};

/// Where rows go. A batch is written whole or not at all where the target can do that.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(const Batch& batch) = 0;
};

/// The one writer of a run. A failure is remembered for the step that sent the rows.
class Ingester {
 public:
  explicit Ingester(Session& session);
  ~Ingester();
  Ingester(const Ingester&) = delete;
  Ingester& operator=(const Ingester&) = delete;

  /// Write what one message of the host holds. After a failure in this step the rest is dropped with the same error.
  void accept(const std::string& message);
  /// The failure of the step that ends here, then forgotten.
  [[nodiscard]] std::optional<Error> take_failure();
  [[nodiscard]] long long rows_written() const noexcept { return m_rows_written; }

 private:
  void write(const std::string& message);
  Sink& sink(const std::string& method);
  struct Parser;
  Session& m_session;
  std::unique_ptr<Parser> m_parser;
  std::map<std::string, std::unique_ptr<Sink>> m_sinks;
  std::optional<Error> m_failure;
  long long m_rows_written = 0;
};

/// The method of rows that are sent without one: what the settings say, else the default database.
[[nodiscard]] std::string default_ingestion_method(const Session& session);
/// Names of the methods that need no plugin: one for each database file, and those below.
[[nodiscard]] std::vector<std::string> ingestion_methods(const Session& session);
[[nodiscard]] std::unique_ptr<Sink> make_sqlite_sink(Session& session, std::string database);
[[nodiscard]] std::unique_ptr<Sink> make_file_sink(Session& session);
[[nodiscard]] std::unique_ptr<Sink> make_http_sink(Session& session);
[[nodiscard]] std::unique_ptr<Sink> make_postgres_sink(Session& session, const std::string& section);
[[nodiscard]] std::unique_ptr<Sink> make_s3_sink(Session& session);

/// "the value in column 'x' of row 3 ..."
[[nodiscard]] std::string place_of(std::size_t row, const std::string& column);
/// Why a message with rows cannot be read, with the place; empty when nothing is found. Slow: for failures only.
[[nodiscard]] std::string find_fault(const std::string& message, const std::vector<std::string>& columns,
                                     std::size_t first);
/// The rows are at fault: the job's author has to act.
[[nodiscard]] Error bad_rows(const Batch& batch, std::string why, std::string countermeasures);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vdk::run {

/// One database of a run, whatever its engine. Its connection is opened at first use and serves all steps.
class Database {
 public:
  Database() = default;
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Run all statements; rows are thrown away. `place`: the file or cell, for people; `prefix` is sent in front.
  /// Throws Error with file, line and column of the statement that failed.
  virtual void run_script(const std::string& sql, const std::string& place, const std::string& prefix) = 0;
  /// What of the open connection the next steps may depend on and a later run cannot have; empty when nothing.
  [[nodiscard]] virtual std::string open_state() = 0;
  /// Roll back what steps left open, and close; true when a transaction was open.
  [[nodiscard]] virtual bool close() = 0;
};

}  // namespace vdk::run

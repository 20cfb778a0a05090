// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "run/sql/database.hpp"

namespace vdk::run {

/// A file of SQLite.
class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(std::filesystem::path path) : m_path(std::move(path)) {}

  /// Throws Error(configuration) when the file cannot be opened.
  [[nodiscard]] sqlite3* connection();
  void run_script(const std::string& sql, const std::string& place, const std::string& prefix) override;
  [[nodiscard]] std::string open_state() override;
  [[nodiscard]] bool close(bool stamped) override;
  [[nodiscard]] std::set<std::string> take_attached() override { return std::exchange(m_attached, {}); }

 private:
  struct Closer {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  };
  std::filesystem::path m_path;
  std::set<std::string> m_attached;
  std::string m_state;  ///< lasts to the end of the run
  std::unique_ptr<sqlite3, Closer> m_connection;
};

}  // namespace vdk::run

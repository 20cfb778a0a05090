// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "vdk/control/embedded.hpp"

namespace vdk::control::testing {

/// The database of one test: a schema of its own in the PostgreSQL of VDK_TEST_DATABASE_URL, dropped at the end, or the
/// SQLite file of `home` where the variable is not set.
class TestDatabase {
 public:
  explicit TestDatabase(std::filesystem::path home);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  [[nodiscard]] const DatabaseOptions& options() const { return m_options; }
  [[nodiscard]] bool is_postgresql() const { return !m_schema.empty(); }
  /// Past the store and its rules.
  void execute(const std::string& sql) const;
  [[nodiscard]] std::string query(const std::string& sql) const;  ///< first column, text, a line per row

 private:
  std::filesystem::path m_home;
  DatabaseOptions m_options;
  std::string m_schema;
};

}  // namespace vdk::control::testing

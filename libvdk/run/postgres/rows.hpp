// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

struct pg_result;

namespace vdk::run {

/// Rows of a result as JSON for the Python side: numbers and booleans as such, all other types as the server's text.
class PostgresRows {
 public:
  /// A new result: its columns as [name, type, size, modifier], no rows.
  void begin(const pg_result* result);
  /// Forget columns and rows: a statement without rows followed.
  void clear();
  void add(const pg_result* result);
  [[nodiscard]] std::size_t size() const noexcept { return m_rows.size(); }
  /// "columns":…,"rows":…; `with_columns` false: the other side has them.
  [[nodiscard]] std::string members(bool with_columns) const;
  /// Text in a database without an encoding may be anything.
  [[nodiscard]] bool is_text() const;

 private:
  std::string m_columns;  ///< empty: a statement without rows
  std::string m_rows;
};

}  // namespace vdk::run

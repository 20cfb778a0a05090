// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::run {

/// One statement of a script, as offsets into it.
struct StatementPlace {
  std::size_t start = 0;  ///< behind white space and comments
  std::size_t end = 0;    ///< in front of its semicolon
};

/// The statements of a script for PostgreSQL, found as psql does: strings (also E'' and $tag$), quoted names, nested
/// comments, parentheses and the bodies of BEGIN ATOMIC keep their semicolons. `backslashes`: they escape in every
/// string, as with standard_conforming_strings off.
[[nodiscard]] std::vector<StatementPlace> split_statements(std::string_view sql, bool backslashes = false);
/// The first word of a statement in lower case.
[[nodiscard]] std::string first_word(std::string_view statement);

}  // namespace vdk::run

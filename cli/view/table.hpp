// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/view/json.hpp"

namespace vdk::cli {

/// Box table of a list of objects, as tabulate's `fancy_grid`; "No Data." when empty. Ends with a newline.
[[nodiscard]] std::string grid_table(const Json& rows);
/// Two columns headed `key  value`, as tabulate's `simple`; "No Data." when empty.
[[nodiscard]] std::string key_value_table(const Json& object);
/// Rows of a query, as tabulate's `simple`: headers, a rule, and a line or more for each row.
[[nodiscard]] std::string simple_table(const Json& columns, const Json& rows);

}  // namespace vdk::cli

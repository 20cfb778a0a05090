// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace vdk::run {

struct Rows {
  simdjson::dom::array array;
};

/// The values of a row; by value, because simdjson hands out references into its temporary results.
[[nodiscard]] inline simdjson::dom::array cells_of(simdjson::dom::element row) {
  simdjson::dom::array cells;
  [[maybe_unused]] const auto code = row.get(cells);  // check_widths() has looked at every row
  return cells;
}

/// The text inside {"$bytes": "00ff"} or {"$float": "inf"}, how the host marks what JSON has no word for.
[[nodiscard]] inline std::optional<std::string_view> marked(simdjson::dom::element value, std::string_view mark) {
  simdjson::dom::object object;
  std::string_view content;
  if (value.get(object) == simdjson::SUCCESS && object.size() == 1 &&
      object.at_key(mark).get(content) == simdjson::SUCCESS) {
    return content;
  }
  return std::nullopt;
}

}  // namespace vdk::run

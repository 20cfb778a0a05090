// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// The type that holds all values of each column: `type_of` a value, made `wider` by the next one. Row by row: looking
/// into a row for one column after the other takes quadratic time in wide tables.
template <typename TypeOf, typename Wider>
[[nodiscard]] std::vector<std::string_view> column_types(const Rows& rows, std::size_t columns, TypeOf type_of,
                                                         Wider wider) {
  std::vector<std::string_view> types(columns);
  for (const auto row : rows.array) {
    std::size_t at = 0;
    for (const auto value : cells_of(row)) {
      types[at] = wider(types[at], type_of(value));
      ++at;
    }
  }
  return types;
}

// How the host marks what JSON has no word for: {"$vdk:bytes": "00ff"}, {"$vdk:float": "inf"}, {"$vdk:numeric":
// "0.1000000000000000000001"}; for PostgreSQL more of that kind.
inline constexpr std::string_view bytes_mark = "$vdk:bytes";
inline constexpr std::string_view float_mark = "$vdk:float";
inline constexpr std::string_view numeric_mark = "$vdk:numeric";

/// The text inside such a mark; nothing where a job has sent a dictionary that only looks like one.
[[nodiscard]] inline std::optional<std::string_view> marked(simdjson::dom::element value, std::string_view mark) {
  simdjson::dom::object object;
  std::string_view content;
  if (value.get(object) == simdjson::SUCCESS && object.size() == 1 &&
      object.at_key(mark).get(content) == simdjson::SUCCESS) {
    const bool bytes = content.size() % 2 == 0 && content.find_first_not_of("0123456789abcdef") == content.npos;
    const bool infinite = content == "inf" || content == "-inf";
    if ((mark != bytes_mark || bytes) && (mark != float_mark || infinite)) {
      return content;
    }
  }
  return std::nullopt;
}

/// The digits of a number that no float is equal to, as JSON writes them.
[[nodiscard]] std::optional<std::string_view> exact_number(simdjson::dom::element value);
/// A value as JSON text; bytes as hexadecimal text. Nothing when it is or holds an infinite number.
[[nodiscard]] std::optional<std::string> json_of(simdjson::dom::element value);

struct Batch;
/// One row as {"column": value, ...}; `extra` goes in front. Throws bad_rows() for an infinite number in the row, which
/// has that number among the step's.
[[nodiscard]] std::string json_object(const Batch& batch, std::size_t number, simdjson::dom::element row,
                                      const std::string& extra = {});

}  // namespace vdk::run

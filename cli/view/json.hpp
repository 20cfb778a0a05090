// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vdk/core/error.hpp"

namespace vdk::cli {

using Json = nlohmann::ordered_json;

/// One line as Python's json.dumps writes it: ", " and ": ", non-ASCII escaped, keys in their order.
[[nodiscard]] std::string dump_json(const Json& value);
/// {"error": {...}} for `-o json`.
[[nodiscard]] Json error_to_json(const Error& error);
/// Text of a JSON value in a table: strings as they are, the rest as Python prints it (True, None, {'a': 1}).
[[nodiscard]] std::string python_text(const Json& value);
/// Parse text that a person gave; `what` and `source` make the error.
[[nodiscard]] Json parse_json(const std::string& text, const std::string& what, const std::string& source);

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace vdk::run {

/// What Python's str() gives for the value: 1, True, None, text as it is, {'a': [1]}.
[[nodiscard]] std::string python_str(const nlohmann::ordered_json& value);

/// Parse JSON as Python does: integers of any size, which are kept as `binary` values that hold their digits. Empty
/// when the text is no JSON, or nested deeper than Python reads.
[[nodiscard]] std::optional<nlohmann::ordered_json> parse_exact(const std::string& text);

/// parse_exact() of text that vdk or a service has written.
/// @throws std::exception when it is no JSON
[[nodiscard]] nlohmann::ordered_json read_exact(const std::string& text);

/// The JSON text of what parse_exact() gave, on one line.
[[nodiscard]] std::string dump_exact(const nlohmann::ordered_json& value);

}  // namespace vdk::run

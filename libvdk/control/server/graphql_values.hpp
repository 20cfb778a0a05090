// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/server/graphql_plan.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control::graphql {

/// Why a value does not fit, or nothing. Enumerations may be strings where they come from JSON.
[[nodiscard]] std::optional<std::string> misfit(const Value& value, TypeRef type, bool from_json);
/// The value as the type has it: a single value of a list type becomes a list.
[[nodiscard]] Value shaped(Value value, TypeRef type);
/// A type as a query writes it, "[Predicate]"; nothing when it cannot be that of a variable.
[[nodiscard]] std::optional<TypeRef> input_type(std::string_view text);
/// RFC 3339, with any offset.
[[nodiscard]] std::optional<TimePoint> read_date_time(std::string_view text);

}  // namespace vdk::control::graphql

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vdk/core/clock.hpp"

namespace vdk::plugin::macros {

/// Nobody knows it yet: the value of a macro that is only checked.
struct Unknown {};
using Value = std::variant<Unknown, std::string, long long, bool, TimePoint, std::vector<std::string>>;

/// As Go prints it.
[[nodiscard]] std::string to_text(const Value& value);
/// What `if` holds for true: not empty, not zero.
[[nodiscard]] bool is_true(const Value& value);

struct Function {
  std::string_view name;
  std::size_t least = 0;  ///< arguments
  std::size_t most = 0;
  std::string_view usage;
  Value (*call)(const std::vector<Value>& arguments);  ///< throws std::string: why it cannot be done
};
/// Nothing when there is no such function.
[[nodiscard]] const Function* find_function(std::string_view name);
[[nodiscard]] std::vector<std::string> function_names();

}  // namespace vdk::plugin::macros

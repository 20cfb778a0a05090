// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

/// Macros in configuration values and assets: `{{ .DSTART | Date }}`. A subset of Go's text/template, strict: what has
/// no value is an error and not `<no value>`. Every time is UTC.
namespace vdk::plugin::macros {

/// What macros may name, without the leading dot: "DSTART", "secret.PASSWORD", "proj.region", "GLOBAL__region".
using Values = std::map<std::string, std::string>;

struct Mistake {
  std::size_t offset = 0;  ///< in bytes of the text
  std::string message;
  std::string hint;
};

/// What is wrong with the macros of a text as far as that shows without values: syntax, unknown functions and names.
[[nodiscard]] std::vector<Mistake> check(std::string_view text);

/// The text with every macro replaced. Throws Error(user_code) whose location is in `file` (`first_line` is the line of
/// the text's first character there; 0 = the text is one value and its place is not known).
[[nodiscard]] std::string render(std::string_view text, const Values& values, const std::string& file,
                                 std::size_t first_line = 1);

/// True when a text asks for a secret, so that its result is one.
[[nodiscard]] bool holds_secret(std::string_view text) noexcept;
/// True when there is a macro in it at all.
[[nodiscard]] bool holds_macro(std::string_view text) noexcept;

}  // namespace vdk::plugin::macros

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "control/server/graphql_ast.hpp"

namespace vdk::control::graphql {

/// What a request may cost before anything is read.
struct ParserLimits {
  std::size_t length = 200'000;  ///< bytes
  std::size_t tokens = 50'000;
  int depth = 40;  ///< of selections and values inside each other
};

/// Throws QueryError(InvalidSyntax).
[[nodiscard]] Document parse(std::string_view text, const ParserLimits& limits = {});
/// A single value, for defaults that the schema writes down.
[[nodiscard]] Value parse_value(std::string_view text);

}  // namespace vdk::control::graphql

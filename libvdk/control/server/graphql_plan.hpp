// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "control/server/graphql_ast.hpp"
#include "control/server/graphql_schema.hpp"

namespace vdk::control::graphql {

using Variables = std::vector<std::pair<std::string, Value>>;

/// One member of the answer: fragments, directives, aliases, variables and defaults are resolved.
struct PlannedField {
  std::string key;                       ///< name in the answer
  const FieldDef* definition = nullptr;  ///< null for __typename
  const TypeDef* parent = nullptr;
  std::vector<Argument> arguments;  ///< checked; absent ones are left out
  std::vector<PlannedField> children;
  Position at;

  [[nodiscard]] std::string_view name() const { return definition == nullptr ? "__typename" : definition->name; }
  /// Null when it is absent or null itself.
  [[nodiscard]] const Value* argument(std::string_view argument_name) const;
};

/// The JSON object of the request's variables; empty text = none. Throws QueryError.
[[nodiscard]] Variables read_variables(const std::string& json);

/// Check a document against the schema and choose its operation. Throws QueryError(ValidationError).
[[nodiscard]] std::vector<PlannedField> plan(const Document& document, const std::string& operation_name,
                                             const Variables& variables);

}  // namespace vdk::control::graphql

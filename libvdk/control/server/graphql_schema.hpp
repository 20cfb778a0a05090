// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

/// The types of the jobs query: the original's schema, and what we add to it (marked in graphql_schema.cpp).
namespace vdk::control::graphql {

struct TypeRef {
  std::string_view name;
  bool list = false;

  [[nodiscard]] std::string text() const { return list ? "[" + std::string(name) + "]" : std::string(name); }
};

/// An argument, or a member of an input object.
struct InputDef {
  std::string_view name;
  TypeRef type;
  std::string_view initial = {};  ///< as it would be written in a query; empty = none
};

struct FieldDef {
  std::string_view name;
  TypeRef type;
  std::span<const InputDef> arguments = {};
};

struct TypeDef {
  enum class Kind { scalar, enumeration, input, object };
  std::string_view name;
  Kind kind = Kind::scalar;
  std::span<const FieldDef> fields = {};          ///< of an object
  std::span<const InputDef> members = {};         ///< of an input object
  std::span<const std::string_view> values = {};  ///< of an enumeration

  [[nodiscard]] const FieldDef* field(std::string_view field_name) const;
};

[[nodiscard]] std::span<const TypeDef> all_types();
/// Null when there is none of this name.
[[nodiscard]] const TypeDef* find_type(std::string_view name);
[[nodiscard]] const TypeDef& query_type();
[[nodiscard]] const InputDef* find_input(std::span<const InputDef> inputs, std::string_view name);

}  // namespace vdk::control::graphql

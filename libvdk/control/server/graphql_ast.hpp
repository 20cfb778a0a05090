// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A GraphQL request as it was written: what the parser makes of the text, before any schema is looked at.
namespace vdk::control::graphql {

/// Counted from 1; a column is one Unicode character.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// One entry of the answer's `errors`.
class QueryError : public std::exception {
 public:
  QueryError(std::string classification, std::string message, std::vector<Position> locations,
             std::vector<std::string> path = {})
      : m_classification(std::move(classification)),
        m_message(std::move(message)),
        m_locations(std::move(locations)),
        m_path(std::move(path)) {}
  [[nodiscard]] const char* what() const noexcept override { return m_message.c_str(); }
  [[nodiscard]] const std::string& classification() const noexcept { return m_classification; }
  [[nodiscard]] const std::vector<Position>& locations() const noexcept { return m_locations; }
  [[nodiscard]] const std::vector<std::string>& path() const noexcept { return m_path; }

 private:
  std::string m_classification;  ///< InvalidSyntax, ValidationError, DataFetchingException, as graphql-java names them
  std::string m_message;
  std::vector<Position> m_locations;
  std::vector<std::string> m_path;
};

struct Value {
  enum class Kind { null, variable, integer, real, string, boolean, enumeration, list, object };
  Kind kind = Kind::null;
  std::string text;  ///< name, digits or characters
  bool flag = false;
  std::vector<Value> items;        ///< of a list or an object
  std::vector<std::string> names;  ///< of an object, beside `items`
  Position at;

  /// The member of an object; null when it is absent.
  [[nodiscard]] const Value* member(std::string_view name) const;
};

struct Argument {
  std::string name;
  Value value;
  Position at;
};

struct Directive {
  std::string name;
  std::vector<Argument> arguments;
  Position at;
};

struct Selection {
  enum class Kind { field, spread, inline_fragment };
  Kind kind = Kind::field;
  std::string name;       ///< of the field or the fragment
  std::string alias;      ///< empty = none
  std::string condition;  ///< type condition of an inline fragment; empty = none
  std::vector<Argument> arguments;
  std::vector<Directive> directives;
  std::vector<Selection> selections;
  Position at;
};

struct VariableDefinition {
  std::string name;
  std::string type;  ///< as written, without the exclamation marks: "[Predicate]"
  bool required = false;
  std::optional<Value> initial;
  Position at;
};

struct Operation {
  std::string kind = "query";
  std::string name;
  std::vector<VariableDefinition> variables;
  std::vector<Directive> directives;
  std::vector<Selection> selections;
  Position at;
};

struct Fragment {
  std::string name;
  std::string condition;
  std::vector<Selection> selections;
  Position at;
};

struct Document {
  std::vector<Operation> operations;
  std::vector<Fragment> fragments;
};

}  // namespace vdk::control::graphql

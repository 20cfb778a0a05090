// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_plan.hpp"

#include <algorithm>

#include "control/server/graphql_parser.hpp"
#include "control/server/graphql_values.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::graphql {

const Value* PlannedField::argument(std::string_view argument_name) const {
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const Argument& argument) { return argument.name == argument_name; });
  return found == arguments.end() || found->value.kind == Value::Kind::null ? nullptr : &found->value;
}

namespace {

// Fragments can make a short text say very much.
constexpr std::size_t k_most_selections = 5000;
constexpr std::size_t k_deepest = 40;

using Path = std::vector<std::string>;

[[noreturn]] void fail(const std::string& kind, const Path& path, const std::string& problem, Position at) {
  throw QueryError(
      "ValidationError",
      "Validation error (" + kind + (path.empty() ? "" : "@[" + text::join(path, "/") + "]") + ") : " + problem, {at});
}

bool same_value(const Value& a, const Value& b) {
  return a.kind == b.kind && a.text == b.text && a.flag == b.flag && a.names == b.names &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_value);
}

bool same_arguments(const std::vector<Argument>& a, const std::vector<Argument>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Argument& one, const Argument& other) {
    return one.name == other.name && same_value(one.value, other.value);
  });
}

/// The fields of one key, gathered from everywhere; what lies below them is merged.
struct Group {
  PlannedField field;
  std::vector<const std::vector<Selection>*> below;
};

class Planner {
 public:
  Planner(const Document& document, const Operation& operation, const Variables& given)
      : m_document(document), m_operation(operation) {
    read_variables(given);
  }

  std::vector<PlannedField> plan() {
    check_directives(m_operation.directives, {});
    return fields(query_type(), {&m_operation.selections}, {});
  }

 private:
  void read_variables(const Variables& given) {
    for (const VariableDefinition& definition : m_operation.variables) {
      const auto type = input_type(definition.type);
      if (!type) {
        fail("UnknownType", {}, "Unknown type '" + definition.type + "' of the variable '" + definition.name + "'",
             definition.at);
      }
      if (find_variable(definition.name) != nullptr) {
        fail("UniqueVariableNames", {}, "There can be only one variable named '" + definition.name + "'",
             definition.at);
      }
      const auto found = std::find_if(given.begin(), given.end(),
                                      [&](const auto& variable) { return variable.first == definition.name; });
      std::optional<Value> value = found == given.end() ? definition.initial : std::optional(found->second);
      if (definition.required && (!value || value->kind == Value::Kind::null)) {
        throw QueryError("ValidationError", "Variable '" + definition.name + "' has no value, but must not be null",
                         {definition.at});
      }
      if (value) {
        if (const auto why = misfit(*value, *type, found != given.end())) {
          throw QueryError("ValidationError", "Variable '" + definition.name + "' has an invalid value: it " + *why,
                           {definition.at});
        }
        value = shaped(std::move(*value), *type);
      }
      m_variables.push_back({&definition, *type, std::move(value)});
    }
  }

  struct Variable {
    const VariableDefinition* definition;
    TypeRef type;
    std::optional<Value> value;
  };

  [[nodiscard]] const Variable* find_variable(std::string_view name) const {
    const auto found = std::find_if(m_variables.begin(), m_variables.end(),
                                    [&](const Variable& variable) { return variable.definition->name == name; });
    return found == m_variables.end() ? nullptr : &*found;
  }

  /// The value with its variables put in; nothing when it is a variable that was not given.
  std::optional<Value> resolved(const Value& value, TypeRef type, const Path& path) {
    if (value.kind == Value::Kind::variable) {
      const Variable* variable = find_variable(value.text);
      if (variable == nullptr) {
        fail("UndefinedVariable", path, "Undefined variable '" + value.text + "'", value.at);
      }
      if (variable->type.name != type.name || variable->type.list != type.list) {
        fail("VariableTypeMismatch", path,
             "Variable '" + value.text + "' of type '" + variable->type.text() +
                 "' does not match what is expected here: '" + type.text() + "'",
             value.at);
      }
      return variable->value;
    }
    if (value.kind != Value::Kind::list && value.kind != Value::Kind::object) {
      return value;
    }
    const TypeDef& definition = *find_type(type.name);
    Value result = value;
    result.items.clear();
    result.names.clear();
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const bool member = value.kind == Value::Kind::object;
      const InputDef* input = member ? find_input(definition.members, value.names[i]) : nullptr;
      auto item = resolved(value.items[i], input != nullptr ? input->type : TypeRef{type.name}, path);
      if (member && item) {
        result.names.push_back(value.names[i]);
      }
      if (item || !member) {
        result.items.push_back(item ? std::move(*item) : Value());
      }
    }
    return result;
  }

  std::vector<Argument> arguments(const std::vector<Argument>& given, std::span<const InputDef> known,
                                  const std::string& owner, const Path& path) {
    for (const Argument& argument : given) {
      if (find_input(known, argument.name) == nullptr) {
        fail("UnknownArgument", path, "Unknown argument '" + argument.name + "' of " + owner, argument.at);
      }
      if (std::count_if(given.begin(), given.end(),
                        [&](const Argument& other) { return other.name == argument.name; }) > 1) {
        fail("UniqueArguments", path, "There can be only one argument named '" + argument.name + "'", argument.at);
      }
    }
    std::vector<Argument> result;
    for (const InputDef& input : known) {
      const auto found = std::find_if(given.begin(), given.end(),
                                      [&](const Argument& argument) { return argument.name == input.name; });
      std::optional<Value> value = found == given.end() ? std::nullopt : resolved(found->value, input.type, path);
      if (!value && !input.initial.empty()) {
        value = parse_value(input.initial);
      }
      if (!value) {
        continue;
      }
      const bool variable = found != given.end() && found->value.kind == Value::Kind::variable;
      // Inside a literal, values of variables have the form that JSON gives them.
      if (const auto why = variable ? std::nullopt : misfit(*value, input.type, uses_variables(found, given))) {
        fail("WrongType", path, "argument '" + std::string(input.name) + "' " + *why, found->value.at);
      }
      result.push_back({std::string(input.name), shaped(std::move(*value), input.type), {}});
    }
    return result;
  }

  static bool contains_variable(const Value& value) {
    return value.kind == Value::Kind::variable ||
           std::any_of(value.items.begin(), value.items.end(), contains_variable);
  }
  static bool uses_variables(std::vector<Argument>::const_iterator found, const std::vector<Argument>& given) {
    return found != given.end() && contains_variable(found->value);
  }

  /// False when @skip or @include leaves the selection out.
  bool check_directives(const std::vector<Directive>& directives, const Path& path) {
    static constexpr InputDef k_if[] = {{"if", {"Boolean"}}};
    bool included = true;
    for (const Directive& directive : directives) {
      if (directive.name != "include" && directive.name != "skip") {
        fail("UnknownDirective", path, "Unknown directive '" + directive.name + "'", directive.at);
      }
      const auto given = arguments(directive.arguments, k_if, "the directive '" + directive.name + "'", path);
      if (given.empty() || given[0].value.kind == Value::Kind::null) {
        fail("MissingDirectiveArgument", path, "Missing directive argument 'if'", directive.at);
      }
      included = included && given[0].value.flag == (directive.name == "include");
    }
    return included;
  }

  std::vector<PlannedField> fields(const TypeDef& type, const std::vector<const std::vector<Selection>*>& sets,
                                   const Path& path) {
    if (path.size() > k_deepest) {
      fail("TooDeep", {}, "the query is nested too deeply", m_operation.at);
    }
    std::vector<Group> groups;
    std::vector<Group> left_out;
    for (const auto* set : sets) {
      collect(type, *set, path, groups, left_out, true);
    }
    (void)below(left_out, path);  // what is left out must be right all the same
    return below(groups, path);
  }

  std::vector<PlannedField> below(std::vector<Group>& groups, const Path& path) {
    std::vector<PlannedField> result;
    for (Group& group : groups) {
      PlannedField& field = group.field;
      Path below_path = path;
      below_path.push_back(field.key);
      const TypeDef* type = field.definition == nullptr ? find_type("String") : find_type(field.definition->type.name);
      const bool object = type->kind == TypeDef::Kind::object;
      if (object == group.below.empty()) {
        fail(object ? "SubselectionRequired" : "SubselectionNotAllowed", below_path,
             object ? "Subselection required for type '" + std::string(type->name) + "' of field '" +
                          std::string(field.name()) + "'"
                    : "Subselection not allowed on leaf type '" + std::string(type->name) + "' of field '" +
                          std::string(field.name()) + "'",
             field.at);
      }
      if (object) {
        field.children = fields(*type, group.below, below_path);
      }
      result.push_back(std::move(field));
    }
    return result;
  }

  void collect(const TypeDef& type, const std::vector<Selection>& selections, const Path& path,
               std::vector<Group>& groups, std::vector<Group>& left_out, bool included) {
    for (const Selection& selection : selections) {
      if (++m_selections > k_most_selections) {
        fail("TooManyFields", {}, "the query selects more than " + std::to_string(k_most_selections) + " fields",
             selection.at);
      }
      const bool wanted = check_directives(selection.directives, path) && included;
      switch (selection.kind) {
        case Selection::Kind::field:
          add_field(type, selection, path, wanted ? groups : left_out);
          break;
        case Selection::Kind::inline_fragment:
          check_condition(type, selection.condition, path, selection.at);
          collect(type, selection.selections, path, groups, left_out, wanted);
          break;
        case Selection::Kind::spread:
          spread(type, selection, path, groups, left_out, wanted);
          break;
      }
    }
  }

  void spread(const TypeDef& type, const Selection& selection, const Path& path, std::vector<Group>& groups,
              std::vector<Group>& left_out, bool included) {
    const auto found = std::find_if(m_document.fragments.begin(), m_document.fragments.end(),
                                    [&](const Fragment& fragment) { return fragment.name == selection.name; });
    if (found == m_document.fragments.end()) {
      fail("UndefinedFragment", path, "Undefined fragment '" + selection.name + "'", selection.at);
    }
    if (std::find(m_spreading.begin(), m_spreading.end(), selection.name) != m_spreading.end()) {
      fail("FragmentCycle", path, "The fragment '" + selection.name + "' contains itself", selection.at);
    }
    check_condition(type, found->condition, path, selection.at);
    m_spreading.push_back(selection.name);
    collect(type, found->selections, path, groups, left_out, included);
    m_spreading.pop_back();
  }

  static void check_condition(const TypeDef& type, const std::string& condition, const Path& path, Position at) {
    if (!condition.empty() && find_type(condition) == nullptr) {
      fail("UnknownType", path, "Unknown type '" + condition + "'", at);
    }
    if (!condition.empty() && condition != type.name) {
      fail("InvalidFragmentType", path,
           "a fragment on '" + condition + "' can never apply to '" + std::string(type.name) + "'", at);
    }
  }

  void add_field(const TypeDef& type, const Selection& selection, const Path& path, std::vector<Group>& groups) {
    PlannedField field;
    field.key = selection.alias.empty() ? selection.name : selection.alias;
    field.parent = &type;
    field.at = selection.at;
    Path field_path = path;
    field_path.push_back(field.key);
    if (selection.name == "__schema" || selection.name == "__type") {
      fail("IntrospectionDisabled", field_path, "Introspection is not supported by this service", selection.at);
    }
    if (selection.name != "__typename") {
      field.definition = type.field(selection.name);
      if (field.definition == nullptr) {
        fail("FieldUndefined", field_path,
             "Field '" + selection.name + "' in type '" + std::string(type.name) + "' is undefined", selection.at);
      }
    }
    field.arguments = arguments(selection.arguments,
                                field.definition == nullptr ? std::span<const InputDef>() : field.definition->arguments,
                                "the field '" + selection.name + "'", field_path);
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const Group& other) { return other.field.key == field.key; });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {std::move(field), {}});
    } else if (group->field.definition != field.definition ||
               !same_arguments(group->field.arguments, field.arguments)) {
      fail("FieldsConflict", field_path,
           "'" + selection.name + "' and '" + std::string(group->field.name()) + "' have the same name '" + field.key +
               "' in the answer but are different; give one of them an alias",
           selection.at);
    }
    if (!selection.selections.empty()) {
      group->below.push_back(&selection.selections);
    }
  }

  const Document& m_document;
  const Operation& m_operation;
  std::vector<Variable> m_variables;
  std::vector<std::string> m_spreading;
  std::size_t m_selections = 0;
};

const Operation& choose(const Document& document, const std::string& name) {
  const auto& operations = document.operations;
  if (name.empty() && operations.size() > 1) {
    throw QueryError("ValidationError", "Must provide operation name if query contains multiple operations",
                     {operations[1].at});
  }
  const auto found = std::find_if(operations.begin(), operations.end(),
                                  [&](const Operation& operation) { return name.empty() || operation.name == name; });
  if (found == operations.end()) {
    throw QueryError("ValidationError", "Unknown operation named '" + name + "'", {operations[0].at});
  }
  if (found->kind != "query") {
    throw QueryError("ValidationError", "Schema is not configured for " + found->kind + "s", {found->at});
  }
  return *found;
}

}  // namespace

std::vector<PlannedField> plan(const Document& document, const std::string& operation_name,
                               const Variables& variables) {
  return Planner(document, choose(document, operation_name), variables).plan();
}

}  // namespace vdk::control::graphql

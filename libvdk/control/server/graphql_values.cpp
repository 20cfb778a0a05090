// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_values.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "vdk/core/text.hpp"

namespace vdk::control::graphql {
namespace {

constexpr int k_deepest_json = 40;

Value from_json(const nlohmann::json& json, int depth) {
  if (depth > k_deepest_json) {
    throw QueryError("ValidationError", "the variables are nested too deeply", {});
  }
  Value value;
  switch (json.type()) {
    case nlohmann::json::value_t::boolean:
      value.kind = Value::Kind::boolean;
      value.flag = json.get<bool>();
      break;
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      value.kind = Value::Kind::integer;
      value.text = json.dump();
      break;
    case nlohmann::json::value_t::number_float:
      value.kind = Value::Kind::real;
      value.text = json.dump();
      break;
    case nlohmann::json::value_t::string:
      value.kind = Value::Kind::string;
      value.text = json.get<std::string>();
      break;
    case nlohmann::json::value_t::array:
      value.kind = Value::Kind::list;
      for (const auto& item : json) {
        value.items.push_back(from_json(item, depth + 1));
      }
      break;
    case nlohmann::json::value_t::object:
      value.kind = Value::Kind::object;
      for (const auto& [name, member] : json.items()) {
        value.names.push_back(name);
        value.items.push_back(from_json(member, depth + 1));
      }
      break;
    default:
      break;
  }
  return value;
}

std::optional<std::string> scalar_misfit(const Value& value, std::string_view type) {
  const auto wants = [&](bool fits) {
    return fits ? std::nullopt : std::optional("is not a valid '" + std::string(type) + "'");
  };
  if (type == "Int") {
    const auto number = value.kind == Value::Kind::integer ? text::parse_int(value.text) : std::nullopt;
    return wants(number && *number >= std::numeric_limits<std::int32_t>::min() &&
                 *number <= std::numeric_limits<std::int32_t>::max());
  }
  if (type == "Float") {
    return wants(value.kind == Value::Kind::integer || value.kind == Value::Kind::real);
  }
  if (type == "Boolean") {
    return wants(value.kind == Value::Kind::boolean);
  }
  if (type == "DateTime") {
    return wants(value.kind == Value::Kind::string && read_date_time(value.text));
  }
  return wants(value.kind == Value::Kind::string);
}

std::optional<std::string> object_misfit(const Value& value, const TypeDef& type, bool from_json) {
  if (value.kind != Value::Kind::object) {
    return "is not an object of type '" + std::string(type.name) + "'";
  }
  for (std::size_t i = 0; i < value.names.size(); ++i) {
    const std::string& name = value.names[i];
    const InputDef* member = find_input(type.members, name);
    if (member == nullptr) {
      return "contains a field not in '" + std::string(type.name) + "': '" + name + "'";
    }
    if (std::count(value.names.begin(), value.names.end(), name) > 1) {
      return "has the field '" + name + "' twice";
    }
    if (const auto why = misfit(value.items[i], member->type, from_json)) {
      return "has a field '" + name + "' that " + *why;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> misfit(const Value& value, TypeRef type, bool from_json) {
  if (value.kind == Value::Kind::null) {
    return std::nullopt;
  }
  if (type.list) {
    if (value.kind != Value::Kind::list) {
      return misfit(value, {type.name}, from_json);
    }
    for (const Value& item : value.items) {
      if (const auto why = misfit(item, {type.name}, from_json)) {
        return "has an item that " + *why;
      }
    }
    return std::nullopt;
  }
  const TypeDef& definition = *find_type(type.name);
  switch (definition.kind) {
    case TypeDef::Kind::scalar:
      return scalar_misfit(value, definition.name);
    case TypeDef::Kind::enumeration: {
      const bool word = value.kind == Value::Kind::enumeration || (from_json && value.kind == Value::Kind::string);
      const bool known =
          word && std::find(definition.values.begin(), definition.values.end(), value.text) != definition.values.end();
      return known ? std::nullopt : std::optional("is not a value of '" + std::string(definition.name) + "'");
    }
    case TypeDef::Kind::input:
      return object_misfit(value, definition, from_json);
    case TypeDef::Kind::object:
      break;
  }
  return "has no input type";
}

Value shaped(Value value, TypeRef type) {
  if (type.list && value.kind != Value::Kind::list && value.kind != Value::Kind::null) {
    Value list;
    list.kind = Value::Kind::list;
    list.at = value.at;
    list.items.push_back(std::move(value));
    value = std::move(list);
  }
  if (type.list) {
    for (Value& item : value.items) {
      item = shaped(std::move(item), {type.name});
    }
  } else if (value.kind == Value::Kind::object) {
    const TypeDef& definition = *find_type(type.name);
    for (std::size_t i = 0; i < value.names.size(); ++i) {
      value.items[i] = shaped(std::move(value.items[i]), find_input(definition.members, value.names[i])->type);
    }
  }
  return value;
}

std::optional<TypeRef> input_type(std::string_view text) {
  const bool list = text.starts_with('[') && text.ends_with(']');
  if (list) {
    text = text.substr(1, text.size() - 2);
  }
  const TypeDef* type = find_type(text);
  if (type == nullptr || type->kind == TypeDef::Kind::object) {
    return std::nullopt;
  }
  return TypeRef{type->name, list};
}

std::optional<TimePoint> read_date_time(std::string_view text) {
  std::string time(text);
  std::chrono::minutes offset{0};
  if (const std::size_t n = time.size(); n > 6 && (time[n - 6] == '+' || time[n - 6] == '-') && time[n - 3] == ':') {
    const auto hours = text::parse_int(time.substr(n - 5, 2));
    const auto minutes = text::parse_int(time.substr(n - 2));
    if (!hours || !minutes || *hours < 0 || *hours > 18 || *minutes < 0 || *minutes > 59) {
      return std::nullopt;
    }
    offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    offset = time[n - 6] == '+' ? offset : -offset;
    time.replace(n - 6, 6, "Z");
  }
  const auto utc = parse_time(time);
  return utc ? std::optional(*utc - offset) : std::nullopt;
}

Variables read_variables(const std::string& json) {
  if (text::trim(json).empty()) {
    return {};
  }
  constexpr std::size_t k_longest = 1'000'000;
  if (json.size() > k_longest) {
    throw QueryError("ValidationError", "the variables are longer than " + std::to_string(k_longest) + " bytes", {});
  }
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (parsed.is_null()) {
    return {};
  }
  if (!parsed.is_object()) {
    throw QueryError("ValidationError", "the variables are not a JSON object", {});
  }
  Variables variables;
  for (const auto& [name, value] : parsed.items()) {
    variables.emplace_back(name, from_json(value, 1));
  }
  return variables;
}

}  // namespace vdk::control::graphql

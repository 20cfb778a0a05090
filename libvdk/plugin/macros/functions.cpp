// SPDX-License-Identifier: Apache-2.0
#include "plugin/macros/functions.hpp"

#include <array>
#include <limits>

#include "plugin/macros/go_time.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::macros {
namespace {

using Arguments = std::vector<Value>;
constexpr std::size_t k_any = std::numeric_limits<std::size_t>::max();

bool any_unknown(const Arguments& arguments) {
  for (const Value& value : arguments) {
    if (std::holds_alternative<Unknown>(value)) {
      return true;
    }
  }
  return false;
}

const std::string& text_of(const Value& value, const char* what) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  throw std::string(what) + " must be text";
}

TimePoint time_of(const Value& value) {
  if (const auto* time = std::get_if<TimePoint>(&value)) {
    return *time;
  }
  if (const auto* seconds = std::get_if<long long>(&value)) {
    return TimePoint(std::chrono::seconds(*seconds));
  }
  const std::string& text = text_of(value, "a time");
  const auto time = parse_time(text);
  if (!time) {
    throw "'" + text + "' is no time such as 2026-01-31T00:00:00Z";
  }
  return *time;
}

Value day(const Arguments& a) { return go_time::format("2006-01-02", time_of(a[0])); }

Value replace(const Arguments& a) {
  return text::replace_all(text_of(a[2], "the text"), text_of(a[0], "what is replaced"), text_of(a[1], "the new text"));
}

Value trunc(const Arguments& a) {
  const auto* count = std::get_if<long long>(&a[0]);
  if (count == nullptr) {
    throw std::string("the length must be a number");
  }
  const std::string& text = text_of(a[1], "the text");
  return *count >= 0 ? text.substr(0, static_cast<std::size_t>(*count)) : text;
}

Value format_date(const Arguments& a) { return go_time::format(text_of(a[0], "the layout"), time_of(a[1])); }

Value modify(const Arguments& a) {
  const std::string& text = text_of(a[0], "the duration");
  const auto duration = go_time::parse_duration(text);
  if (!duration) {
    throw "'" + text + "' is no duration such as -24h or 1h30m";
  }
  return time_of(a[1]) + *duration;
}

Value to_date(const Arguments& a) {
  const std::string& layout = text_of(a[0], "the layout");
  const std::string& text = text_of(a[1], "the time");
  const auto time = go_time::parse(layout, text);
  if (!time) {
    throw "'" + text + "' does not look like the layout '" + layout + "'";
  }
  return *time;
}

Value unix_epoch(const Arguments& a) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time_of(a[0]));
  return std::to_string(seconds.time_since_epoch().count());
}

Value make_list(const Arguments& a) {
  std::vector<std::string> list;
  for (const Value& value : a) {
    list.push_back(to_text(value));
  }
  return list;
}

Value join(const Arguments& a) {
  const std::string& separator = text_of(a[0], "the separator");
  const auto* list = std::get_if<std::vector<std::string>>(&a[1]);
  return list == nullptr ? to_text(a[1]) : text::join(*list, separator);
}

Value equal(const Arguments& a) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (to_text(a[0]) == to_text(a[i])) {
      return true;
    }
  }
  return false;
}

Value not_equal(const Arguments& a) { return to_text(a[0]) != to_text(a[1]); }
Value negate(const Arguments& a) { return !is_true(a[0]); }

Value first_false(const Arguments& a) {
  for (const Value& value : a) {
    if (!is_true(value)) {
      return value;
    }
  }
  return a.back();
}

Value first_true(const Arguments& a) {
  for (const Value& value : a) {
    if (is_true(value)) {
      return value;
    }
  }
  return a.back();
}

template <Value (*F)(const Arguments&)>
Value known(const Arguments& arguments) {
  return any_unknown(arguments) ? Value(Unknown{}) : F(arguments);
}

constexpr std::array<Function, 14> k_functions{{
    {"Date", 1, 1, "Date TIME", known<day>},
    {"replace", 3, 3, "replace OLD NEW TEXT", known<replace>},
    {"trunc", 2, 2, "trunc LENGTH TEXT", known<trunc>},
    {"date", 2, 2, "date LAYOUT TIME", known<format_date>},
    {"date_modify", 2, 2, "date_modify DURATION TIME", known<modify>},
    {"toDate", 2, 2, "toDate LAYOUT TEXT", known<to_date>},
    {"unixEpoch", 1, 1, "unixEpoch TIME", known<unix_epoch>},
    {"list", 0, k_any, "list VALUE...", known<make_list>},
    {"join", 2, 2, "join SEPARATOR LIST", known<join>},
    {"eq", 2, k_any, "eq VALUE OTHER...", known<equal>},
    {"ne", 2, 2, "ne VALUE OTHER", known<not_equal>},
    {"not", 1, 1, "not VALUE", known<negate>},
    {"and", 1, k_any, "and VALUE...", known<first_false>},
    {"or", 1, k_any, "or VALUE...", known<first_true>},
}};

}  // namespace

std::string to_text(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  if (const auto* number = std::get_if<long long>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* time = std::get_if<TimePoint>(&value)) {
    return go_time::format("2006-01-02 15:04:05.999999 -0700 MST", *time);
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return "[" + text::join(*list, " ") + "]";
  }
  return {};
}

bool is_true(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return !text->empty();
  }
  if (const auto* number = std::get_if<long long>(&value)) {
    return *number != 0;
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag;
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return !list->empty();
  }
  return true;
}

const Function* find_function(std::string_view name) {
  for (const Function& function : k_functions) {
    if (function.name == name) {
      return &function;
    }
  }
  return nullptr;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& function : k_functions) {
    names.emplace_back(function.name);
  }
  return names;
}

}  // namespace vdk::plugin::macros

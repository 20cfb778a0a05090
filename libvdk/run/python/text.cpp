// SPDX-License-Identifier: Apache-2.0
#include "run/python/text.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;

std::string quoted(const std::string& s) {
  const char quote = s.find('\'') != std::string::npos && s.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : s) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\' || c == quote) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out + quote;
}

/// Shortest text that reads back, in Python's layout: 1.0, 1e-07, 1e+16.
std::string number(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
  }
  std::array<char, 400> buffer{};
  const double size = std::fabs(value);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string out(buffer.data(), end.ptr);
  if (!scientific && out.find('.') == std::string::npos) {
    out += ".0";
  }
  return out;
}

std::string repr(const Json& value) {
  std::string out;
  switch (value.type()) {
    case Json::value_t::string:
      return quoted(value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case Json::value_t::null:
      return "None";
    case Json::value_t::number_float:
      return number(value.get<double>());
    case Json::value_t::array:
      for (const Json& item : value) {
        out += (out.empty() ? "" : ", ") + repr(item);
      }
      return "[" + out + "]";
    case Json::value_t::object:
      for (const auto& item : value.items()) {
        out += (out.empty() ? "" : ", ") + quoted(item.key()) + ": " + repr(item.value());
      }
      return "{" + out + "}";
    default:
      return value.dump();
  }
}

}  // namespace

std::string python_str(const Json& value) { return value.is_string() ? value.get<std::string>() : repr(value); }

}  // namespace vdk::run

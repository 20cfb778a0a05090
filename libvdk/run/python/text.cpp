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
    case Json::value_t::binary:
      return {value.get_binary().begin(), value.get_binary().end()};
    default:
      return value.dump();
  }
}

/// Builds a document and keeps the digits of integers that are too large for 64 bits.
class ExactReader : public nlohmann::json_sax<Json> {
 public:
  Json document;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") != std::string::npos) {
      return put(value);
    }
    return put(Json::binary(std::vector<std::uint8_t>(text.begin(), text.end())));
  }
  bool string(string_t& value) override { return put(value); }
  bool binary(binary_t& value) override { return put(value); }
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool key(string_t& value) override {
    m_key = value;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  static constexpr std::size_t deepest = 200;

  Json* add(Json value) {
    if (m_open.empty()) {
      document = std::move(value);
      return &document;
    }
    Json& parent = *m_open.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[m_key] = std::move(value));
  }
  bool put(Json value) {
    add(std::move(value));
    return true;
  }
  bool open(Json value) {
    m_open.push_back(add(std::move(value)));
    return m_open.size() <= deepest;
  }
  bool close() {
    m_open.pop_back();
    return true;
  }

  std::vector<Json*> m_open;  // the parents: nothing is added to one while a child of it is open
  std::string m_key;
};

}  // namespace

std::optional<Json> parse_exact(const std::string& text) {
  ExactReader reader;
  if (!Json::sax_parse(text, &reader)) {
    return std::nullopt;
  }
  return std::move(reader.document);
}

Json read_exact(const std::string& text) {
  auto parsed = parse_exact(text);
  return parsed ? std::move(*parsed) : Json::parse(text);
}

std::string dump_exact(const Json& value) {
  if (value.is_binary()) {
    return repr(value);
  }
  if (!value.is_structured()) {
    return value.dump();
  }
  std::string out;
  for (const auto& item : value.items()) {
    out += out.empty() ? "" : ",";
    out += (value.is_object() ? Json(item.key()).dump() + ":" : "") + dump_exact(item.value());
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

std::string python_str(const Json& value) { return value.is_string() ? value.get<std::string>() : repr(value); }

}  // namespace vdk::run

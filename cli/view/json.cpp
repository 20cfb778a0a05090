// SPDX-License-Identifier: Apache-2.0
#include "cli/view/json.hpp"

#include <algorithm>

namespace vdk::cli {
namespace {

std::string scalar(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

/// Python's repr of a string: single quotes unless it holds one and no double quote.
std::string python_string(const std::string& text) {
  const bool single = text.find('\'') != std::string::npos;
  const char quote = single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (c == quote) {
          out += '\\';
        }
        out += c;
    }
  }
  return out + quote;
}

std::string python_repr(const Json& value) {
  if (value.is_string()) {
    return python_string(value.get<std::string>());
  }
  if (value.is_null()) {
    return "None";
  }
  if (value.is_boolean()) {
    return value.get<bool>() ? "True" : "False";
  }
  if (!value.is_structured()) {
    return scalar(value);
  }
  std::string out;
  for (const auto& [key, item] : value.items()) {
    out += out.empty() ? "" : ", ";
    out += value.is_object() ? python_string(key) + ": " + python_repr(item) : python_repr(item);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

/// Most texts need no escape: they do without the library's writer, which is made anew for each.
void append_text(std::string& out, const std::string& text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += scalar(Json(text));
  }
}

void append_json(std::string& out, const Json& value) {
  if (value.is_string()) {
    append_text(out, value.get_ref<const std::string&>());
    return;
  }
  if (!value.is_structured()) {
    out += scalar(value);
    return;
  }
  const bool object = value.is_object();
  out += object ? '{' : '[';
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) {
      out += ", ";
    }
    if (object) {
      append_text(out, item.key());
      out += ": ";
    }
    append_json(out, *item);
  }
  out += object ? '}' : ']';
}

}  // namespace

std::string dump_json(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

Json error_to_json(const Error& error) {
  const ErrorText& text = error.text();
  Json body = {{"kind", std::string(to_string(error.kind()))},
               {"what", text.what},
               {"why", text.why},
               {"consequences", text.consequences},
               {"countermeasures", text.countermeasures}};
  if (error.location()) {
    const SourceLocation& place = *error.location();
    Json location;
    if (!place.file.empty()) {
      location["file"] = place.file;
    }
    location["line"] = place.line;
    location["column"] = place.column;
    location["text"] = place.text;
    body["location"] = std::move(location);
  }
  body["exit_code"] = exit_code(error.kind());
  return Json{{"error", std::move(body)}};
}

std::string python_text(const Json& value) { return value.is_string() ? value.get<std::string>() : python_repr(value); }

Json parse_json(const std::string& text, const std::string& what, const std::string& source) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::string message = error.what();
    const auto start = message.find("] ");
    throw Error(
        ErrorKind::usage,
        {what, source + " is not valid JSON: " + (start == std::string::npos ? message : message.substr(start + 2)),
         "nothing was changed",
         "give a JSON object such as '{\"key\": \"value\"}', quoted for "
         "the shell"});
  }
}

}  // namespace vdk::cli

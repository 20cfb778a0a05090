// SPDX-License-Identifier: Apache-2.0
#include "control/server/router.hpp"

#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return parts;
}

bool is_variable(std::string_view segment) { return segment.starts_with('{'); }

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) {
    return false;
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_variable(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

}  // namespace

Router::Router(std::vector<Route> routes) : m_routes(std::move(routes)) {
  for (std::size_t i = 0; i < m_routes.size(); ++i) {
    m_entries.push_back({split_path(m_routes[i].path), i});
  }
}

Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  const auto parts = split_path(path);
  for (const Entry& entry : m_entries) {
    const Route& route = m_routes[entry.route];
    if (!matches(entry.segments, parts)) {
      continue;
    }
    if (route.method != method && !(method == "HEAD" && route.method == "GET")) {
      match.methods.push_back(route.method);
      continue;
    }
    match.route = &route;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!is_variable(entry.segments[i])) {
        continue;
      }
      const std::string name(entry.segments[i].substr(1, entry.segments[i].size() - 2));
      auto value = percent_decode(parts[i], false);
      if (!value) {
        throw bad_parameter(name, "percent-encoded UTF-8 without control characters", std::string(parts[i]));
      }
      match.segments[name] = std::move(*value);
    }
    return match;
  }
  return match;
}

std::optional<std::string> percent_decode(std::string_view s, bool plus) {
  std::string result;
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '%') {
      const int high = i + 2 < s.size() ? hex_digit(s[i + 1]) : -1;
      const int low = i + 2 < s.size() ? hex_digit(s[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::nullopt;
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (plus && c == '+') {
      c = ' ';
    }
    const auto byte = static_cast<unsigned char>(c);
    // Line ends and tabs are fine in a query (GraphQL, reasons), nowhere else.
    if ((byte < 0x20U && !(plus && (c == '\n' || c == '\r' || c == '\t'))) || byte == 0x7fU) {
      return std::nullopt;
    }
    result += c;
  }
  return text::is_valid_utf8(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::multimap<std::string, std::string, std::less<>> parse_query(std::string_view query) {
  std::multimap<std::string, std::string, std::less<>> result;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const auto equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                        : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) {
      throw bad_parameter(name.value_or("query"), "percent-encoded UTF-8 without control characters",
                          std::string(pair));
    }
    if (!name->empty()) {
      result.emplace(*name, *value);
    }
  }
  return result;
}

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <cstring>
#include <system_error>
#include <utility>

#include "vdk/core/text.hpp"

namespace vdk {

int exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::operation:
    case ErrorKind::user_code:
    case ErrorKind::platform:
    case ErrorKind::unsupported:
      return 1;
    case ErrorKind::usage:
    case ErrorKind::configuration:
    case ErrorKind::too_large:
      return 2;
    case ErrorKind::pending:
      return 3;
    case ErrorKind::login:
      return 4;
    case ErrorKind::not_found:
      return 5;
    case ErrorKind::conflict:
      return 6;
    case ErrorKind::timeout:
      return 7;
    case ErrorKind::unreachable:
      return 8;
    case ErrorKind::internal:
      return 70;
    case ErrorKind::interrupted:
      return 130;
  }
  return 70;
}

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::operation:
      return "operation";
    case ErrorKind::user_code:
      return "user_code";
    case ErrorKind::platform:
      return "platform";
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::configuration:
      return "configuration";
    case ErrorKind::pending:
      return "pending";
    case ErrorKind::login:
      return "login";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::too_large:
      return "too_large";
    case ErrorKind::internal:
      return "internal";
    case ErrorKind::interrupted:
      return "interrupted";
  }
  return "internal";
}

Error::Error(ErrorKind kind, ErrorText text, std::optional<SourceLocation> location)
    : m_kind(kind),
      m_text(std::move(text)),
      m_location(std::move(location)),
      m_summary(m_text.why.empty() ? m_text.what : m_text.what + ": " + m_text.why) {}

namespace {

// A long line is cut around the caret so that the caret stays on the screen.
constexpr std::size_t k_snippet_columns = 100;

void append_snippet(std::string& out, const SourceLocation& at) {
  std::string line = text::replace_all(at.text, "\t", " ");
  std::size_t column = at.column == 0 ? 1 : at.column;
  if (line.size() > k_snippet_columns) {
    std::size_t start = column > k_snippet_columns / 2 ? column - k_snippet_columns / 2 : 0;
    while (start > 0 && start < line.size() && (static_cast<unsigned char>(line[start]) & 0xC0U) == 0x80U) {
      --start;
    }
    line = line.substr(start, k_snippet_columns);
    column -= start;
  }
  const std::size_t before = text::display_width(std::string_view(line).substr(0, column - 1));
  const std::size_t length = at.length == 0 ? 1 : at.length;
  out += fmt::format("  {}\n  {}{}\n", line, std::string(before, ' '),
                     std::string(std::min(length, k_snippet_columns), '^'));
}

void append_part(std::string& out, std::string_view label, const std::string& part) {
  if (!part.empty()) {
    out += fmt::format("{}: {}\n", label, text::replace_all(part, "\n", "\n  "));
  }
}

}  // namespace

std::string format_error(const Error& error) {
  std::string out = fmt::format("error: {}\n", error.text().what);
  if (const auto& at = error.location()) {
    std::string place = at->file;
    if (!place.empty() && at->line != 0) {  // a line number without a file leads nowhere
      place += fmt::format(":{}", at->line);
      if (at->column != 0) {
        place += fmt::format(":{}", at->column);
      }
    }
    if (!place.empty()) {
      out += fmt::format("  --> {}\n", place);
    }
    if (!at->text.empty()) {
      append_snippet(out, *at);
    }
  }
  append_part(out, "why", error.text().why);
  append_part(out, "consequences", error.text().consequences);
  append_part(out, "countermeasures", error.text().countermeasures);
  return out;
}

Error system_error(std::string what, int number, std::string countermeasures) {
  return Error(ErrorKind::platform, {.what = std::move(what),
                                     .why = std::system_category().message(number),
                                     .consequences = "The operation was not carried out.",
                                     .countermeasures = std::move(countermeasures)});
}

}  // namespace vdk

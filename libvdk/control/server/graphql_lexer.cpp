// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_lexer.hpp"

#include <algorithm>
#include <limits>

#include "vdk/core/text.hpp"

namespace vdk::control::graphql {
namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

std::size_t indent_of(const std::string& line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

/// The characters of a block string: common indentation and blank first and last lines do not belong to it.
std::string dedented(const std::string& raw) {
  std::vector<std::string> lines =
      text::split(text::replace_all(text::replace_all(raw, "\r\n", "\n"), "\r", "\n"), '\n');
  std::size_t common = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (const std::size_t indent = indent_of(lines[i]); indent < lines[i].size()) {
      common = std::min(common, indent);
    }
  }
  for (std::size_t i = 1; i < lines.size() && common != std::numeric_limits<std::size_t>::max(); ++i) {
    lines[i].erase(0, std::min(common, lines[i].size()));
  }
  const auto blank = [](const std::string& line) { return indent_of(line) == line.size(); };
  const auto first = std::find_if_not(lines.begin(), lines.end(), blank);
  const auto last = std::find_if_not(lines.rbegin(), lines.rend(), blank).base();
  return first < last ? text::join(std::vector<std::string>(first, last), "\n") : std::string();
}

}  // namespace

Lexer::Lexer(std::string_view text) : m_text(text) {
  if (!text::is_valid_utf8(text)) {
    throw QueryError("InvalidSyntax", "Invalid syntax: the query is not UTF-8 text", {Position()});
  }
  if (m_text.starts_with("\xEF\xBB\xBF")) {
    m_text.remove_prefix(3);
  }
}

void Lexer::fail(const std::string& problem, Position at) const {
  throw QueryError(
      "InvalidSyntax",
      "Invalid syntax: " + problem + " at line " + std::to_string(at.line) + " column " + std::to_string(at.column),
      {at});
}

void Lexer::advance(std::size_t bytes) {
  for (std::size_t i = 0; i < bytes && !at_end(); ++i, ++m_at) {
    const char c = m_text[m_at];
    if (c == '\n' || (c == '\r' && peek(1) != '\n')) {
      ++m_position.line;
      m_position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++m_position.column;
    }
  }
}

void Lexer::skip_ignored() {
  while (!at_end()) {
    const char c = peek();
    if (c == '#') {
      while (!at_end() && peek() != '\n' && peek() != '\r') {
        advance();
      }
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
      advance();
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skip_ignored();
  Token token;
  token.at = m_position;
  if (at_end()) {
    return token;
  }
  const char c = peek();
  if (is_name_start(c)) {
    token.kind = Token::Kind::name;
    while (is_name_start(peek()) || is_digit(peek())) {
      token.text += peek();
      advance();
    }
    return token;
  }
  if (c == '-' || is_digit(c)) {
    return number(std::move(token));
  }
  if (c == '"') {
    token.kind = Token::Kind::string;
    return m_text.substr(m_at, 3) == "\"\"\"" ? block_string(std::move(token)) : string(std::move(token));
  }
  token.kind = Token::Kind::punctuator;
  token.text = m_text.substr(m_at, m_text.substr(m_at).starts_with("...") ? 3 : 1);
  if (token.text != "..." && std::string_view("!$&()=:@[]{}|").find(c) == std::string_view::npos) {
    fail("offending token '" + token.text + "'", token.at);
  }
  advance(token.text.size());
  return token;
}

Token Lexer::number(Token token) {
  token.kind = Token::Kind::integer;
  const auto take = [&] {
    token.text += peek();
    advance();
  };
  const auto digits = [&] {
    if (!is_digit(peek())) {
      fail("a digit is missing in the number '" + token.text + "'", m_position);
    }
    while (is_digit(peek())) {
      take();
    }
  };
  if (peek() == '-') {
    take();
  }
  const bool zero = peek() == '0';
  const std::size_t before = token.text.size();
  digits();
  if (zero && token.text.size() > before + 1) {
    fail("the number '" + token.text + "' begins with 0", token.at);
  }
  if (peek() == '.') {
    token.kind = Token::Kind::real;
    take();
    digits();
  }
  if (peek() == 'e' || peek() == 'E') {
    token.kind = Token::Kind::real;
    take();
    if (peek() == '+' || peek() == '-') {
      take();
    }
    digits();
  }
  if (is_name_start(peek()) || peek() == '.') {
    fail("offending token '" + std::string(1, peek()) + "' after the number '" + token.text + "'", m_position);
  }
  return token;
}

Token Lexer::string(Token token) {
  advance();
  while (peek() != '"') {
    const auto c = static_cast<unsigned char>(peek());
    if (at_end() || c == '\n' || c == '\r') {
      fail("the string that begins here does not end on its line", token.at);
    }
    if (c < 0x20U && c != '\t') {
      fail("a control character in a string", m_position);
    }
    if (c == '\\') {
      escape(token.text);
    } else {
      token.text += peek();
      advance();
    }
  }
  advance();
  return token;
}

Token Lexer::block_string(Token token) {
  advance(3);
  std::string raw;
  while (m_text.substr(m_at, 3) != "\"\"\"") {
    if (at_end()) {
      fail("the block string that begins here has no end", token.at);
    }
    if (m_text.substr(m_at, 4) == "\\\"\"\"") {
      raw += "\"\"\"";
      advance(4);
    } else {
      raw += peek();
      advance();
    }
  }
  advance(3);
  token.text = dedented(raw);
  return token;
}

unsigned Lexer::hexadecimal() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = peek();
    const std::string_view digits = "0123456789abcdef";
    const std::size_t digit = digits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c));
    if (at_end() || digit == std::string_view::npos) {
      fail("\\u needs four hexadecimal digits", m_position);
    }
    value = value * 16 + static_cast<unsigned>(digit);
    advance();
  }
  return value;
}

void Lexer::escape(std::string& out) {
  const Position at = m_position;
  advance();
  const char c = peek();
  constexpr std::string_view k_letters = "\"\\/bfnrt";
  constexpr std::string_view k_meanings = "\"\\/\b\f\n\r\t";
  if (const std::size_t found = k_letters.find(c); found != std::string_view::npos && !at_end()) {
    out += k_meanings[found];
    advance();
    return;
  }
  if (c != 'u') {
    fail("unknown escape in a string", at);
  }
  advance();
  unsigned code = hexadecimal();
  if (code >= 0xD800U && code < 0xDC00U && peek() == '\\' && peek(1) == 'u') {
    advance(2);
    const unsigned low = hexadecimal();
    code = low >= 0xDC00U && low < 0xE000U ? 0x10000U + ((code - 0xD800U) << 10U) + (low - 0xDC00U) : 0xD800U;
  }
  if (code >= 0xD800U && code < 0xE000U) {
    fail("half of a surrogate pair in a string", at);
  }
  append_utf8(out, code);
}

}  // namespace vdk::control::graphql

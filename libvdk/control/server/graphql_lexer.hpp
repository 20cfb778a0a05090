// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "control/server/graphql_ast.hpp"

namespace vdk::control::graphql {

struct Token {
  enum class Kind { end, punctuator, name, integer, real, string };
  Kind kind = Kind::end;
  std::string text;  ///< of a string: its characters, escapes resolved
  Position at;

  [[nodiscard]] bool is(std::string_view punctuator) const { return kind == Kind::punctuator && text == punctuator; }
};

/// The tokens of a query, one after another; commas, comments and white space are none. Throws QueryError.
class Lexer {
 public:
  explicit Lexer(std::string_view text);
  [[nodiscard]] Token next();

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return m_at + ahead < m_text.size() ? m_text[m_at + ahead] : '\0';
  }
  [[nodiscard]] bool at_end() const { return m_at >= m_text.size(); }
  void advance(std::size_t bytes = 1);
  void skip_ignored();
  [[nodiscard]] Token number(Token token);
  [[nodiscard]] Token string(Token token);
  [[nodiscard]] Token block_string(Token token);
  void escape(std::string& out);
  [[nodiscard]] unsigned hexadecimal();
  [[noreturn]] void fail(const std::string& problem, Position at) const;

  std::string_view m_text;
  std::size_t m_at = 0;
  Position m_position;
};

}  // namespace vdk::control::graphql

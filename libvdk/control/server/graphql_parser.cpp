// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_parser.hpp"

#include <algorithm>

#include "control/server/graphql_lexer.hpp"

namespace vdk::control::graphql {

const Value* Value::member(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

namespace {

class Parser {
 public:
  Parser(std::string_view text, const ParserLimits& limits) : m_lexer(text), m_limits(limits) { take(); }

  Document document() {
    Document document;
    while (m_token.kind != Token::Kind::end) {
      if (is_name("fragment")) {
        document.fragments.push_back(fragment());
      } else {
        document.operations.push_back(operation());
      }
    }
    if (document.operations.empty()) {
      fail();
    }
    return document;
  }

  Value single_value() {
    Value result = value(true);
    if (m_token.kind != Token::Kind::end) {
      fail();
    }
    return result;
  }

 private:
  /// Counts how deep the parser is, so that no text can exhaust the stack.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : m_parser(parser) {
      if (++m_parser.m_depth > m_parser.m_limits.depth) {
        throw QueryError("InvalidSyntax",
                         "the query is nested more than " + std::to_string(m_parser.m_limits.depth) + " levels deep",
                         {m_parser.m_token.at});
      }
    }
    ~Nesting() { --m_parser.m_depth; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& m_parser;
  };

  Token take() {
    if (++m_taken > m_limits.tokens) {
      throw QueryError("InvalidSyntax", "the query has more than " + std::to_string(m_limits.tokens) + " tokens",
                       {m_token.at});
    }
    Token taken = std::move(m_token);
    m_token = m_lexer.next();
    return taken;
  }

  [[noreturn]] void fail() const {
    const std::string token = m_token.kind == Token::Kind::end ? "<EOF>" : m_token.text;
    throw QueryError("InvalidSyntax",
                     "Invalid syntax with offending token '" + token + "' at line " + std::to_string(m_token.at.line) +
                         " column " + std::to_string(m_token.at.column),
                     {m_token.at});
  }

  [[nodiscard]] bool is_name(std::string_view name) const {
    return m_token.kind == Token::Kind::name && m_token.text == name;
  }

  bool accept(std::string_view punctuator) {
    if (!m_token.is(punctuator)) {
      return false;
    }
    take();
    return true;
  }

  void expect(std::string_view punctuator) {
    if (!accept(punctuator)) {
      fail();
    }
  }

  std::string name() {
    if (m_token.kind != Token::Kind::name) {
      fail();
    }
    return take().text;
  }

  Operation operation() {
    Operation result;
    result.at = m_token.at;
    if (m_token.is("{")) {
      result.selections = selections();
      return result;
    }
    if (!is_name("query") && !is_name("mutation") && !is_name("subscription")) {
      fail();
    }
    result.kind = take().text;
    if (m_token.kind == Token::Kind::name) {
      result.name = take().text;
    }
    if (accept("(")) {
      do {
        result.variables.push_back(variable_definition());
      } while (!accept(")"));
    }
    result.directives = directives();
    result.selections = selections();
    return result;
  }

  Fragment fragment() {
    Fragment result;
    result.at = m_token.at;
    take();
    if (is_name("on")) {
      fail();
    }
    result.name = name();
    if (!is_name("on")) {
      fail();
    }
    take();
    result.condition = name();
    (void)directives();
    result.selections = selections();
    return result;
  }

  VariableDefinition variable_definition() {
    VariableDefinition result;
    result.at = m_token.at;
    expect("$");
    result.name = name();
    expect(":");
    result.type = type(result.required);
    if (accept("=")) {
      result.initial = value(true);
    }
    (void)directives();
    return result;
  }

  std::string type(bool& required) {
    const Nesting nesting(*this);
    std::string result;
    if (accept("[")) {
      bool ignored = false;
      result = "[" + type(ignored) + "]";
      expect("]");
    } else {
      result = name();
    }
    required = accept("!");
    return result;
  }

  std::vector<Selection> selections() {
    const Nesting nesting(*this);
    std::vector<Selection> result;
    expect("{");
    do {
      result.push_back(selection());
    } while (!accept("}"));
    return result;
  }

  Selection selection() {
    Selection result;
    result.at = m_token.at;
    if (accept("...")) {
      if (m_token.kind == Token::Kind::name && !is_name("on")) {
        result.kind = Selection::Kind::spread;
        result.name = take().text;
        result.directives = directives();
        return result;
      }
      result.kind = Selection::Kind::inline_fragment;
      if (is_name("on")) {
        take();
        result.condition = name();
      }
      result.directives = directives();
      result.selections = selections();
      return result;
    }
    result.name = name();
    if (accept(":")) {
      result.alias = std::move(result.name);
      result.name = name();
    }
    result.arguments = arguments(false);
    result.directives = directives();
    if (m_token.is("{")) {
      result.selections = selections();
    }
    return result;
  }

  std::vector<Argument> arguments(bool constant) {
    std::vector<Argument> result;
    if (accept("(")) {
      do {
        Argument argument;
        argument.at = m_token.at;
        argument.name = name();
        expect(":");
        argument.value = value(constant);
        result.push_back(std::move(argument));
      } while (!accept(")"));
    }
    return result;
  }

  std::vector<Directive> directives() {
    std::vector<Directive> result;
    while (m_token.is("@")) {
      Directive directive;
      directive.at = m_token.at;
      take();
      directive.name = name();
      directive.arguments = arguments(false);
      result.push_back(std::move(directive));
    }
    return result;
  }

  Value value(bool constant) {
    const Nesting nesting(*this);
    Value result;
    result.at = m_token.at;
    switch (m_token.kind) {
      case Token::Kind::integer:
        return scalar(std::move(result), Value::Kind::integer);
      case Token::Kind::real:
        return scalar(std::move(result), Value::Kind::real);
      case Token::Kind::string:
        return scalar(std::move(result), Value::Kind::string);
      case Token::Kind::name:
        return word(std::move(result));
      case Token::Kind::punctuator:
        break;
      case Token::Kind::end:
        fail();
    }
    if (m_token.is("$") && !constant) {
      take();
      return scalar(std::move(result), Value::Kind::variable);
    }
    if (accept("[")) {
      result.kind = Value::Kind::list;
      while (!accept("]")) {
        result.items.push_back(value(constant));
      }
      return result;
    }
    expect("{");
    result.kind = Value::Kind::object;
    while (!accept("}")) {
      result.names.push_back(name());
      expect(":");
      result.items.push_back(value(constant));
    }
    return result;
  }

  Value scalar(Value result, Value::Kind kind) {
    result.kind = kind;
    result.text = kind == Value::Kind::variable ? name() : take().text;
    return result;
  }

  Value word(Value result) {
    result.text = take().text;
    if (result.text == "true" || result.text == "false") {
      result.kind = Value::Kind::boolean;
      result.flag = result.text == "true";
    } else {
      result.kind = result.text == "null" ? Value::Kind::null : Value::Kind::enumeration;
    }
    return result;
  }

  Lexer m_lexer;
  const ParserLimits m_limits;
  Token m_token;
  std::size_t m_taken = 0;
  int m_depth = 0;
};

}  // namespace

Document parse(std::string_view text, const ParserLimits& limits) {
  if (text.size() > limits.length) {
    throw QueryError("InvalidSyntax", "the query is longer than " + std::to_string(limits.length) + " bytes",
                     {Position()});
  }
  return Parser(text, limits).document();
}

Value parse_value(std::string_view text) { return Parser(text, {}).single_value(); }

}  // namespace vdk::control::graphql

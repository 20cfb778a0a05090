// SPDX-License-Identifier: Apache-2.0
#include "run/sql/split.hpp"

#include <algorithm>
#include <cctype>

#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool goes_on(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '$'; }

class Splitter {
 public:
  Splitter(std::string_view sql, bool backslashes) : m_sql(sql), m_backslashes(backslashes) {}

  std::vector<StatementPlace> split() {
    while (m_at < m_sql.size()) {
      step();
    }
    end_statement(m_sql.size());
    return m_found;
  }

 private:
  void step() {
    const char c = m_sql[m_at];
    if (is_blank(c)) {
      ++m_at;
    } else if (looks_at("--")) {
      m_at = std::min(m_sql.find('\n', m_at), m_sql.size());
    } else if (looks_at("/*")) {
      skip_comment();
    } else if (c == ';' && m_parentheses == 0 && m_bodies == 0) {
      end_statement(m_at);
      ++m_at;
    } else {
      begin_statement();
      take(c);
    }
  }

  void take(char c) {
    if (c == '\'' || c == '"') {
      skip_quoted(c, c == '\'' && m_backslashes);
    } else if (c == '$') {
      skip_dollar();
    } else if (starts_name(c)) {
      take_word();
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (m_at < m_sql.size() && goes_on(m_sql[m_at])) {
        ++m_at;
      }
    } else {
      m_parentheses += c == '(' ? 1 : (c == ')' && m_parentheses > 0 ? -1 : 0);
      ++m_at;
    }
  }

  [[nodiscard]] bool looks_at(std::string_view text) const { return m_sql.substr(m_at, text.size()) == text; }

  void begin_statement() {
    if (!m_inside) {
      m_inside = true;
      m_start = m_at;
    }
  }

  void end_statement(std::size_t end) {
    if (m_inside) {
      while (end > m_start && is_blank(m_sql[end - 1])) {
        --end;
      }
      m_found.push_back({m_start, end});
    }
    m_inside = false;
    m_parentheses = 0;
    m_bodies = 0;
    m_words.clear();
  }

  void skip_comment() {
    const std::size_t start = m_at;
    int depth = 0;
    while (m_at < m_sql.size()) {
      if (looks_at("/*")) {
        ++depth;
        m_at += 2;
      } else if (looks_at("*/")) {
        m_at += 2;
        if (--depth == 0) {
          return;
        }
      } else {
        ++m_at;
      }
    }
    m_start = m_inside ? m_start : start;  // it does not end: the server shall say so
    m_inside = true;
  }

  void skip_quoted(char quote, bool escapes) {
    for (++m_at; m_at < m_sql.size(); ++m_at) {
      if (escapes && m_sql[m_at] == '\\') {
        ++m_at;
      } else if (m_sql[m_at] == quote) {
        if (m_sql.substr(m_at + 1, 1) != std::string_view(&quote, 1)) {
          ++m_at;
          return;
        }
        ++m_at;  // doubled: it stands for itself
      }
    }
    m_at = std::min(m_at, m_sql.size());
  }

  void skip_dollar() {
    std::size_t end = m_at + 1;
    if (end < m_sql.size() && starts_name(m_sql[end])) {
      while (end < m_sql.size() && goes_on(m_sql[end]) && m_sql[end] != '$') {
        ++end;
      }
    }
    if (end >= m_sql.size() || m_sql[end] != '$') {
      ++m_at;  // a parameter such as $1
      return;
    }
    const std::string_view tag = m_sql.substr(m_at, end + 1 - m_at);
    const std::size_t close = m_sql.find(tag, end + 1);
    m_at = close == std::string_view::npos ? m_sql.size() : close + tag.size();
  }

  void take_word() {
    const std::size_t start = m_at;
    while (m_at < m_sql.size() && goes_on(m_sql[m_at])) {
      ++m_at;
    }
    const std::string_view word = m_sql.substr(start, m_at - start);
    if (m_at < m_sql.size() && m_sql[m_at] == '\'' && (word == "e" || word == "E")) {
      skip_quoted('\'', true);
      return;
    }
    note_word(text::lower(word));
  }

  /// Only a routine may have a body with statements in it that is no string.
  void note_word(const std::string& word) {
    if (m_words.size() < 4) {
      m_words.push_back(word);
    }
    const std::size_t kind = m_words.size() > 1 && m_words[1] == "or" ? 3 : 1;
    const bool routine = m_words[0] == "create" && m_words.size() > kind &&
                         (m_words[kind] == "function" || m_words[kind] == "procedure");
    if (!routine || m_parentheses != 0) {
      return;
    }
    if (word == "begin" || (word == "case" && m_bodies > 0)) {
      ++m_bodies;
    } else if (word == "end" && m_bodies > 0) {
      --m_bodies;
    }
  }

  std::string_view m_sql;
  bool m_backslashes;
  std::size_t m_at = 0;
  std::size_t m_start = 0;
  bool m_inside = false;
  int m_parentheses = 0;
  int m_bodies = 0;
  std::vector<std::string> m_words;
  std::vector<StatementPlace> m_found;
};

}  // namespace

std::vector<StatementPlace> split_statements(std::string_view sql, bool backslashes) {
  return Splitter(sql, backslashes).split();
}

std::string first_word(std::string_view statement) {
  const auto parts = split_statements(statement);
  const std::size_t start = parts.empty() ? statement.size() : parts.front().start;
  std::size_t end = start;
  while (end < statement.size() && starts_name(statement[end])) {
    ++end;
  }
  return text::lower(statement.substr(start, end - start));
}

}  // namespace vdk::run

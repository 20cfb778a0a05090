// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/macros.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "plugin/macros/functions.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::macros {
namespace {

constexpr std::array<std::string_view, 10> k_unsupported{"range", "with",     "define", "template", "block",
                                                         "break", "continue", "printf", "index",    "len"};
constexpr std::array<std::string_view, 4> k_names{"DSTART", "DEND", "EXECUTION_TIME", "JOB_DESTINATION"};
constexpr std::array<std::string_view, 5> k_groups{"secret", "proj", "inst", "task", "args"};
constexpr unsigned k_deepest = 50;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// A name that some run gives a value to.
bool may_exist(std::string_view name) {
  if (name.starts_with("GLOBAL__") || name.starts_with("TASK__") ||
      std::find(k_names.begin(), k_names.end(), name) != k_names.end()) {
    return true;
  }
  const auto dot = name.find('.');
  return dot != std::string_view::npos &&
         std::find(k_groups.begin(), k_groups.end(), name.substr(0, dot)) != k_groups.end();
}

std::string hint_for(const std::string& name, const Values* values) {
  std::vector<std::string> known(k_names.begin(), k_names.end());
  if (values != nullptr) {
    for (const auto& [one, value] : *values) {
      known.push_back(one);
    }
  }
  if (const auto near = text::nearest(name, known)) {
    return "did you mean ." + *near + "?";
  }
  if (name.starts_with("secret.")) {
    return "set it with `vdk secrets --set-prompt " + name.substr(7) + "`";
  }
  if (name.starts_with("proj.")) {
    return "set it with `vdk properties --set " + name.substr(5) + " VALUE`";
  }
  return values == nullptr ? "there are .DSTART .DEND .EXECUTION_TIME .JOB_DESTINATION .inst.X .proj.X .GLOBAL__X "
                             ".secret.X .args.X and, in hooks, .task.X .TASK__X"
                           : "";
}

/// Parses and evaluates in one walk; without values it only parses.
class Engine {
 public:
  Engine(std::string_view text, const Values* values) : m_text(text), m_values(values) {}

  std::string run() {
    const std::string out = block(m_values != nullptr, 0);
    if (m_stop != Stop::end_of_text) {
      fail(m_stop_at, m_stop == Stop::end ? "'end' without 'if'" : "'else' without 'if'");
    }
    return out;
  }

 private:
  enum class Stop { end_of_text, end, otherwise };

  [[noreturn]] static void fail(std::size_t at, std::string message, std::string hint = {}) {
    throw Mistake{at, std::move(message), std::move(hint)};
  }

  /// Text and actions up to the end, `{{end}}` or `{{else}}`.
  std::string block(bool live, unsigned depth) {
    if (depth > k_deepest) {
      fail(m_at, "too many nested 'if'");
    }
    std::string out;
    while (true) {
      const std::size_t open = m_text.find("{{", m_at);
      std::string_view literal = m_text.substr(m_at, open == std::string_view::npos ? open : open - m_at);
      if (m_trim_next) {
        while (!literal.empty() && is_space(literal.front())) {
          literal.remove_prefix(1);
        }
      }
      m_trim_next = false;
      if (open == std::string_view::npos) {
        out += literal;
        m_stop = Stop::end_of_text;
        m_at = m_text.size();
        return out;
      }
      m_at = open + 2;
      if (m_at + 1 < m_text.size() && m_text[m_at] == '-' && is_space(m_text[m_at + 1])) {
        ++m_at;
        while (!literal.empty() && is_space(literal.back())) {
          literal.remove_suffix(1);
        }
      }
      out += literal;
      if (!action(out, live, depth, open)) {
        m_stop_at = open;
        return out;
      }
    }
  }

  /// False at `end` and `else`, which belong to the caller.
  bool action(std::string& out, bool live, unsigned depth, std::size_t open) {
    skip_space();
    if (m_text.substr(m_at).starts_with("/*")) {
      const std::size_t close = m_text.find("*/", m_at + 2);
      if (close == std::string_view::npos) {
        fail(open, "the comment has no end", "write */ before }}");
      }
      m_at = close + 2;
      close_action(open);
      return true;
    }
    const std::string word = peek_word();
    if (word == "end" || word == "else") {
      m_at += word.size();
      m_stop = word == "end" ? Stop::end : Stop::otherwise;
      if (word == "end") {
        close_action(open);
      }
      return false;
    }
    if (word == "if") {
      m_at += 2;
      out += branch(live, depth, open);
      return true;
    }
    const Value value = pipeline(live, open);
    close_action(open);
    if (live) {
      out += to_text(value);
    }
    return true;
  }

  std::string branch(bool live, unsigned depth, std::size_t open) {
    const Value condition = pipeline(live, open);
    close_action(open);
    const bool yes = live && is_true(condition);
    std::string chosen = block(yes, depth + 1);
    chosen = yes ? chosen : "";
    if (m_stop == Stop::otherwise) {
      skip_space();
      if (peek_word() == "if") {
        m_at += 2;
        const std::string other = branch(live && !yes, depth + 1, m_at);
        return yes ? chosen : other;
      }
      close_action(open);
      const std::string other = block(live && !yes, depth + 1);
      chosen = live && !yes ? other : chosen;
    }
    if (m_stop != Stop::end) {
      fail(open, m_stop == Stop::otherwise ? "two 'else' for one 'if'" : "'if' without 'end'");
    }
    return chosen;
  }

  void close_action(std::size_t open) {
    skip_space();
    if (is_space(m_text[m_at - 1]) && m_text.substr(m_at).starts_with("-}}")) {
      ++m_at;
      m_trim_next = true;
    }
    if (!m_text.substr(m_at).starts_with("}}")) {
      if (m_at >= m_text.size()) {
        fail(open, "the macro has no end", "write }}");
      }
      fail(m_at, "unexpected '" + std::string(1, m_text[m_at]) + "' in a macro");
    }
    m_at += 2;
  }

  void skip_space() {
    while (m_at < m_text.size() && is_space(m_text[m_at])) {
      ++m_at;
    }
  }

  std::string peek_word() const {
    std::size_t end = m_at;
    while (end < m_text.size() && (is_letter(m_text[end]) || is_digit(m_text[end]))) {
      ++end;
    }
    return std::string(m_text.substr(m_at, end - m_at));
  }

  Value pipeline(bool live, std::size_t open) {
    if (++m_nested > k_deepest) {
      fail(m_at, "too many nested parentheses");
    }
    std::optional<Value> piped;
    while (true) {
      piped = command(live, open, piped);
      skip_space();
      if (m_at >= m_text.size() || m_text[m_at] != '|') {
        --m_nested;
        return *piped;
      }
      ++m_at;
    }
  }

  Value command(bool live, std::size_t open, const std::optional<Value>& piped) {
    skip_space();
    const std::size_t at = m_at;
    if (m_at < m_text.size() && is_letter(m_text[m_at]) && peek_word() != "true" && peek_word() != "false") {
      const std::string name = peek_word();
      m_at += name.size();
      return call(name, at, live, open, piped);
    }
    const Value value = operand(live, open);
    if (piped) {
      fail(at, "a value cannot take what is piped into it", "write a function after |");
    }
    skip_space();
    if (starts_operand()) {
      fail(m_at, "a value cannot have arguments", "write a function, or | between the two");
    }
    return value;
  }

  Value call(const std::string& name, std::size_t at, bool live, std::size_t open, const std::optional<Value>& piped) {
    const Function* function = find_function(name);
    if (function == nullptr) {
      if (std::find(k_unsupported.begin(), k_unsupported.end(), name) != k_unsupported.end()) {
        fail(at, "'" + name + "' of Go's templates is not supported here",
             "only values, functions, pipes and if/else are");
      }
      const auto near = text::nearest(name, function_names());
      fail(at, "there is no function '" + name + "'",
           near ? "did you mean '" + *near + "'?"
                : (may_exist(name) ? "write ." + name : "there are " + text::join(function_names(), ", ")));
    }
    std::vector<Value> arguments;
    skip_space();
    while (starts_operand()) {
      arguments.push_back(argument(live, open));
      skip_space();
    }
    if (piped) {
      arguments.push_back(*piped);
    }
    if (arguments.size() < function->least || arguments.size() > function->most) {
      fail(at, "'" + name + "' has " + std::to_string(arguments.size()) + " arguments",
           "write " + std::string(function->usage) + "; a value before | is the last argument");
    }
    try {
      return function->call(arguments);
    } catch (const std::string& why) {
      fail(at, "'" + name + "' cannot be computed: " + why);
    }
  }

  /// A word among arguments is a function without arguments; here every function has some.
  Value argument(bool live, std::size_t open) {
    if (is_letter(m_text[m_at]) && peek_word() != "true" && peek_word() != "false") {
      const std::size_t at = m_at;
      const std::string name = peek_word();
      m_at += name.size();
      fail(at, "'" + name + "' is no value", "put a function and its arguments into parentheses, text into quotes");
    }
    return operand(live, open);
  }

  [[nodiscard]] bool starts_operand() const {
    if (m_at >= m_text.size()) {
      return false;
    }
    const char c = m_text[m_at];
    const bool sign = c == '-' && m_at + 1 < m_text.size() && is_digit(m_text[m_at + 1]);
    return c == '.' || c == '"' || c == '`' || c == '(' || c == '$' || is_letter(c) || is_digit(c) || sign;
  }

  Value operand(bool live, std::size_t open) {
    if (m_at >= m_text.size()) {
      fail(open, "the macro has no end", "write }}");
    }
    const char c = m_text[m_at];
    if (c == '.') {
      return field(live);
    }
    if (c == '"' || c == '`') {
      return quoted(c);
    }
    if (c == '(') {
      const std::size_t at = m_at++;
      Value value = pipeline(live, open);
      skip_space();
      if (m_at >= m_text.size() || m_text[m_at] != ')') {
        fail(at, "the parenthesis has no end");
      }
      ++m_at;
      return value;
    }
    if (c == '$') {
      fail(m_at, "variables of Go's templates are not supported here");
    }
    if (is_digit(c) || c == '-') {
      return number();
    }
    const std::string word = peek_word();
    if (word == "true" || word == "false") {
      m_at += word.size();
      return word == "true";
    }
    if (m_text.substr(m_at).starts_with("}}")) {
      fail(open, "the macro is empty", "write a name such as .DSTART");
    }
    fail(m_at, "unexpected '" + std::string(1, c) + "' in a macro");
  }

  Value number() {
    std::size_t end = m_at + 1;
    while (end < m_text.size() && (is_digit(m_text[end]) || is_letter(m_text[end]) || m_text[end] == '.')) {
      ++end;
    }
    const auto value = text::parse_int(m_text.substr(m_at, end - m_at));
    if (!value) {
      fail(m_at, "'" + std::string(m_text.substr(m_at, end - m_at)) + "' is no whole number");
    }
    m_at = end;
    return *value;
  }

  Value quoted(char quote) {
    const std::size_t at = m_at++;
    std::string out;
    while (m_at < m_text.size() && m_text[m_at] != quote) {
      if (quote == '"' && m_text[m_at] == '\\' && m_at + 1 < m_text.size()) {
        const char escaped = m_text[++m_at];
        out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
      } else if (quote == '"' && m_text[m_at] == '\n') {
        break;
      } else {
        out += m_text[m_at];
      }
      ++m_at;
    }
    if (m_at >= m_text.size() || m_text[m_at] != quote) {
      fail(at, "the text has no closing quote");
    }
    ++m_at;
    return out;
  }

  Value field(bool live) {
    const std::size_t at = m_at;
    std::string name;
    while (m_at < m_text.size() && m_text[m_at] == '.') {
      ++m_at;
      const std::string part = peek_word();
      if (part.empty() || is_digit(part.front())) {
        fail(at, "a name is missing after '.'", "write a name such as .DSTART");
      }
      m_at += part.size();
      name += (name.empty() ? "" : ".") + part;
    }
    if (m_at < m_text.size() && m_text[m_at] == '-' && m_at + 1 < m_text.size() && is_letter(m_text[m_at + 1])) {
      fail(at, "a name in a macro has letters, digits and _ only", "rename it without '-'");
    }
    if (!live) {
      // A branch that is not taken may name what this run does not have.
      if (m_values == nullptr && !may_exist(name)) {
        fail(at, "there is no value ." + name, hint_for(name, nullptr));
      }
      return Unknown{};
    }
    const auto found = m_values->find(name);
    if (found == m_values->end()) {
      fail(at, "there is no value ." + name, hint_for(name, m_values));
    }
    return found->second;
  }

  std::string_view m_text;
  const Values* m_values;
  std::size_t m_at = 0;
  bool m_trim_next = false;
  unsigned m_nested = 0;
  Stop m_stop = Stop::end_of_text;
  std::size_t m_stop_at = 0;
};

SourceLocation locate(std::string_view text, std::size_t offset, const std::string& file, std::size_t first_line) {
  offset = std::min(offset, text.size());
  const std::size_t start = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  SourceLocation place;
  place.file = file;
  place.line = first_line + static_cast<std::size_t>(lines);
  place.column = offset - start + 1;
  place.text = std::string(text.substr(start, text.find('\n', start) - start));
  const std::size_t end = text.find("}}", offset);
  place.length = std::max<std::size_t>(
      1, std::min(end == std::string_view::npos ? offset + 1 : end, start + place.text.size()) - offset);
  while (place.length > 1 && is_space(text[offset + place.length - 1])) {
    --place.length;
  }
  return place;
}

}  // namespace

std::vector<Mistake> check(std::string_view text) {
  try {
    (void)Engine(text, nullptr).run();
  } catch (const Mistake& mistake) {
    return {mistake};
  }
  return {};
}

std::string render(std::string_view text, const Values& values, const std::string& file, std::size_t first_line) {
  if (!holds_macro(text)) {
    return std::string(text);
  }
  try {
    return Engine(text, &values).run();
  } catch (const Mistake& mistake) {
    const bool placed = first_line != 0;
    throw Error(
        ErrorKind::user_code,
        {"cannot fill in a macro of " + file, mistake.message, "the program was not started",
         mistake.hint.empty() ? "correct it; docs/yaml-plugins.md lists the names and functions" : mistake.hint},
        placed ? std::optional(locate(text, mistake.offset, file, first_line)) : std::nullopt);
  }
}

bool holds_macro(std::string_view text) noexcept { return text.find("{{") != std::string_view::npos; }

bool holds_secret(std::string_view text) noexcept {
  return holds_macro(text) && text.find(".secret.") != std::string_view::npos;
}

}  // namespace vdk::plugin::macros

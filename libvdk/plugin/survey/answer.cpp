// SPDX-License-Identifier: Apache-2.0
// What may be answered to a question. The same rules hold for a default in a plugin's file.
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "plugin/macros/go_time.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/macros.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {
namespace {

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool matches(const std::string& pattern, std::string_view text) {
  RE2::Options quiet;
  quiet.set_log_errors(false);
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), RE2(pattern, quiet));
}

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end.ptr};
}

std::string check_range(const Question& question, double value) {
  if ((question.min && value < *question.min) || (question.max && value > *question.max)) {
    if (question.min && question.max) {
      return "must be from " + number_text(*question.min) + " to " + number_text(*question.max);
    }
    return question.min ? "must be at least " + number_text(*question.min)
                        : "must be at most " + number_text(*question.max);
  }
  return {};
}

CheckedAnswer integer(const Question& question, const std::string& text) {
  const auto value = text::parse_int(text);
  if (!value) {
    return {text, "'" + text + "' is no whole number"};
  }
  return {std::to_string(*value), check_range(question, static_cast<double>(*value))};
}

CheckedAnswer floating(const Question& question, const std::string& text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return {text, "'" + text + "' is no number"};
  }
  return {text, check_range(question, value)};
}

CheckedAnswer boolean(const std::string& text) {
  const auto value = text::parse_bool(text);
  return value ? CheckedAnswer{*value ? "true" : "false", {}}
               : CheckedAnswer{text, "'" + text + "' is neither yes nor no"};
}

CheckedAnswer date(const std::string& text) {
  const bool day = go_time::parse("2006-01-02", text).has_value();
  if (!day && !go_time::parse("2006-01-02T15:04:05Z07:00", text)) {
    return {text, "'" + text + "' is no date such as 2026-01-31 or 2026-01-31T08:00:00Z"};
  }
  return {text, {}};
}

CheckedAnswer cron(const std::string& text) {
  try {
    (void)Cron::parse(text);
  } catch (const Error& error) {
    return {text, "'" + text + "' is no schedule: " + error.text().why};
  }
  return {text, {}};
}

std::string wrong_option(const Question& question, const std::string& text) {
  const auto near = text::nearest(text, question.options);
  return "'" + text + "' is none of " + text::quoted_list(question.options) +
         (near ? "; did you mean '" + *near + "'?" : "");
}

bool is_option(const Question& question, const std::string& text) {
  return std::find(question.options.begin(), question.options.end(), text) != question.options.end();
}

/// In the order of the options, so that the same choice is always the same text.
CheckedAnswer several(const Question& question, const std::string& text) {
  std::set<std::string> chosen;
  for (const std::string& part : text::split(text, ',')) {
    const std::string one(text::trim(part));
    if (one.empty()) {
      continue;
    }
    if (!is_option(question, one)) {
      return {text, wrong_option(question, one)};
    }
    chosen.insert(one);
  }
  std::vector<std::string> ordered;
  for (const std::string& option : question.options) {
    if (chosen.contains(option)) {
      ordered.push_back(option);
    }
  }
  return {text::join(ordered, ","), {}};
}

CheckedAnswer by_type(const Question& question, const std::string& text) {
  switch (question.type) {
    case QuestionType::integer:
      return integer(question, text);
    case QuestionType::floating:
      return floating(question, text);
    case QuestionType::boolean:
      return boolean(text);
    case QuestionType::date:
      return date(text);
    case QuestionType::cron:
      return cron(text);
    case QuestionType::path:
      return {text, text.find('\n') == std::string::npos ? "" : "a path has one line"};
    case QuestionType::select:
      return {text, is_option(question, text) ? "" : wrong_option(question, text)};
    case QuestionType::multiselect:
      return several(question, text);
    case QuestionType::string:
    case QuestionType::secret:
      break;
  }
  return {text, {}};
}

std::string check_form(const Question& question, const std::string& text) {
  const std::size_t length = code_points(text);
  if (length < question.min_length) {
    return "must have at least " + std::to_string(question.min_length) + " characters";
  }
  if (question.max_length != 0 && length > question.max_length) {
    return "must have at most " + std::to_string(question.max_length) + " characters";
  }
  if (!question.pattern.empty() && !matches(question.pattern, text)) {
    return question.validation_error.empty() ? "does not match the pattern " + question.pattern
                                             : question.validation_error;
  }
  return {};
}

bool has_options(const Question& question) {
  return question.type == QuestionType::select || question.type == QuestionType::multiselect;
}

}  // namespace

CheckedAnswer check_answer(const Question& question, std::string_view answer) {
  const std::string text(text::trim(answer));
  if (text.find('\0') != std::string::npos || !text::is_valid_utf8(text)) {
    return {text, "must be UTF-8 text without NUL"};
  }
  if (text.empty()) {
    return {text, question.required ? "an answer is needed" : ""};
  }
  if (macros::holds_macro(text) && !has_options(question)) {
    // What a macro becomes is known at run time only, so just its own syntax can be held against anything.
    const auto mistakes = macros::check(text);
    const bool plain = question.type == QuestionType::string;
    return {text, !mistakes.empty() ? "the macro is wrong: " + mistakes.front().message
                                    : (plain ? check_form(question, text) : "")};
  }
  CheckedAnswer checked = by_type(question, text);
  if (checked.mistake.empty()) {
    checked.mistake = check_form(question, checked.value);
  }
  return checked;
}

bool is_met(const Condition& condition, const std::string& answer) {
  const bool among = std::find(condition.values.begin(), condition.values.end(), answer) != condition.values.end();
  switch (condition.compare) {
    case Condition::Operator::equals:
    case Condition::Operator::in:
      return among;
    case Condition::Operator::is_not:
      return !among;
    case Condition::Operator::matches:
      return matches(condition.values.front(), answer);
  }
  return false;
}

bool is_variable_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#include "plugin/yaml/questions.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "vdk/core/text.hpp"

namespace vdk::plugin {

std::string_view to_string(QuestionType type) noexcept {
  switch (type) {
    case QuestionType::string:
      return "string";
    case QuestionType::integer:
      return "int";
    case QuestionType::floating:
      return "float";
    case QuestionType::boolean:
      return "bool";
    case QuestionType::date:
      return "date";
    case QuestionType::cron:
      return "cron";
    case QuestionType::path:
      return "path";
    case QuestionType::secret:
      return "secret";
    case QuestionType::select:
      return "select";
    case QuestionType::multiselect:
      return "multiselect";
  }
  return "";
}

}  // namespace vdk::plugin

namespace vdk::plugin::yaml {
namespace {

constexpr unsigned k_deepest = 16;
constexpr std::size_t k_most_questions = 1000;
constexpr std::int64_t k_longest = 1'000'000;

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names = {"string", "int",  "float",  "bool",   "date",
                                                 "cron",   "path", "secret", "select", "multiselect"};
  return names;
}

const std::vector<std::string>& question_keys() {
  static const std::vector<std::string> keys = {"name",      "type",        "prompt",      "help",   "default",
                                                "options",   "multiselect", "multiple",    "regexp", "validationerror",
                                                "minlength", "maxlength",   "min",         "max",    "required",
                                                "env",       "when",        "subquestions"};
  return keys;
}

bool has_options(QuestionType type) { return type == QuestionType::select || type == QuestionType::multiselect; }

std::optional<double> number(Section& section, const std::string& key) {
  const std::string text = section.text(key);
  if (text.empty()) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    section.error(key, "'" + key + "' must be a number, not '" + text + "'");
    return std::nullopt;
  }
  return value;
}

void check_pattern(Section& section, const std::string& key, const std::string& pattern) {
  const RE2 compiled(pattern, RE2::Quiet);
  if (!compiled.ok()) {
    section.error(key, "the pattern cannot be compiled: " + compiled.error(),
                  "the syntax is RE2's; backslashes are doubled between double quotes only");
  }
}

}  // namespace

std::vector<Question> QuestionReader::read_list(Section& section, const std::string& key, unsigned depth) {
  std::vector<Question> questions;
  if (depth > k_deepest) {
    section.error(key, "sub-questions are nested more than " + std::to_string(k_deepest) + " deep");
    return questions;
  }
  for (const YAML::Node& node : section.items(key)) {
    if (++m_count > k_most_questions) {
      section.error(key, "there are more than " + std::to_string(k_most_questions) + " questions");
      break;
    }
    questions.push_back(read_one(node, depth));
  }
  return questions;
}

Question QuestionReader::read_one(const YAML::Node& node, unsigned depth) {
  Section section(m_document, node, "a question", question_keys());
  Question question;
  question.name = section.text("name");
  question.where = section.where("name");
  question.prompt = section.text("prompt");
  question.help = section.text("help");
  question.default_value = text::join(section.texts("default"), ",");
  question.pattern = section.text("regexp");
  check_pattern(section, "regexp", question.pattern);
  question.validation_error = section.text("validationerror");
  question.min_length = static_cast<unsigned>(section.integer("minlength", 0, 0, k_longest));
  question.max_length = static_cast<unsigned>(section.integer("maxlength", 0, 0, k_longest));
  question.min = number(section, "min");
  question.max = number(section, "max");
  question.required = section.flag("required", false);
  question.environment = section.text("env");
  if (!question.environment.empty() && !is_variable_name(question.environment)) {
    section.error("env", "'" + question.environment + "' is no name of a variable");
  }
  read_options(question, section);
  read_type(question, section);
  if (const auto* when = section.find("when")) {
    read_condition(question, when->value);
  }
  check_name(question, section);
  check_options(question, section);
  check_bounds(question, section);
  check_default(question, section);
  read_branches(question, section, depth);
  return question;
}

void QuestionReader::read_type(Question& question, Section& section) {
  const std::string name = text::lower(section.text("type"));
  const auto found = std::find(type_names().begin(), type_names().end(), name);
  if (found != type_names().end()) {
    question.type = static_cast<QuestionType>(found - type_names().begin());
  } else if (!name.empty()) {
    const auto near = text::nearest(name, type_names());
    section.error("type", "there is no type '" + name + "'",
                  near ? "did you mean '" + *near + "'?" : "there are " + text::quoted_list(type_names()));
  }
  // The original knows no types: what has options is a choice of one, though its key is `multiselect`.
  const bool choice = name.empty() && !question.options.empty();
  if (choice || question.type == QuestionType::select) {
    question.type = section.flag("multiple", false) ? QuestionType::multiselect : QuestionType::select;
  }
}

void QuestionReader::read_options(Question& question, Section& section) {
  for (const char* key : {"options", "multiselect"}) {
    for (const std::string& written : section.texts(key)) {
      std::string option(text::trim(written));
      if (option.empty()) {
        section.error(key, "an option is empty", "leave it out; a question that is not required may stay unanswered");
      } else if (std::find(question.options.begin(), question.options.end(), option) != question.options.end()) {
        section.error(key, "the option '" + option + "' stands here a second time");
      } else {
        question.options.push_back(std::move(option));
      }
    }
  }
}

void QuestionReader::read_condition(Question& question, const YAML::Node& node) {
  Section section(m_document, node, "'when'", {"name", "equals", "in", "matches", "not"});
  Condition condition;
  condition.question = section.text("name");
  int operators = 0;
  const std::pair<const char*, Condition::Operator> known[] = {{"equals", Condition::Operator::equals},
                                                               {"in", Condition::Operator::in},
                                                               {"not", Condition::Operator::is_not},
                                                               {"matches", Condition::Operator::matches}};
  for (const auto& [key, compare] : known) {
    if (section.has(key)) {
      ++operators;
      condition.compare = compare;
      condition.values = section.texts(key);
    }
  }
  if (operators != 1 || condition.values.empty()) {
    m_document.error(section.where(), "'when' needs exactly one of equals, in, matches and not, with a value");
    return;
  }
  if (condition.compare == Condition::Operator::matches) {
    check_pattern(section, "matches", condition.values.front());
  }
  if (!m_names.contains(text::lower(condition.question))) {
    const auto near = text::nearest(text::lower(condition.question), {m_names.begin(), m_names.end()});
    section.error("name", "no question before this one is called '" + condition.question + "'",
                  near ? "did you mean '" + *near + "'?" : "'when' looks at answers that were given before");
    return;
  }
  question.when = condition;
}

void QuestionReader::read_branches(Question& question, Section& section, unsigned depth) {
  const std::set<std::string> before = m_names;
  std::set<std::string> after = m_names;
  std::set<std::string> values;
  for (const YAML::Node& node : section.items("subquestions")) {
    Section one(m_document, node, "a sub-question", {"ifvalue", "questions"});
    Question::Branch branch;
    branch.if_value = one.text("ifvalue");
    const bool known =
        std::find(question.options.begin(), question.options.end(), branch.if_value) != question.options.end();
    if (!one.has("ifvalue")) {
      one.error("ifvalue", "'ifvalue' is missing", "write the answer that asks for these questions");
    } else if (question.type == QuestionType::select && !known) {
      const auto near = text::nearest(branch.if_value, question.options);
      one.error("ifvalue", "'" + branch.if_value + "' is no option of '" + question.name + "'",
                near ? "did you mean '" + *near + "'?" : "options are " + text::quoted_list(question.options));
    }
    // Branches for different answers exclude each other, so they may ask for the same name.
    m_names = values.insert(branch.if_value).second ? before : after;
    branch.questions = read_list(one, "questions", depth + 1);
    after.insert(m_names.begin(), m_names.end());
    question.branches.push_back(std::move(branch));
  }
  m_names = after;
}

void QuestionReader::check_name(const Question& question, Section& section) {
  if (question.name.empty()) {
    section.error("name", "a question has no 'name'", "its name becomes the key of the configuration");
    return;
  }
  if (!is_variable_name(question.name)) {
    section.error("name", "the question's name '" + question.name + "' cannot be an environment variable",
                  "use letters, digits and _ only, not first a digit");
  }
  if (!m_names.insert(text::lower(question.name)).second) {
    section.error("name", "a second question is called '" + question.name + "'",
                  "names are compared without regard to case");
  }
}

void QuestionReader::check_options(const Question& question, Section& section) {
  const std::string key = section.has("options") ? "options" : "multiselect";
  if (has_options(question.type) && question.options.empty()) {
    section.error("type", "'" + question.name + "' has no 'options' to choose from");
  }
  if (!has_options(question.type) && !question.options.empty()) {
    section.error(key, "'" + question.name + "' has options, but its type is " + std::string(to_string(question.type)),
                  "write type: select or type: multiselect");
  }
  for (const std::string& option : question.options) {
    if (question.type == QuestionType::multiselect && option.find(',') != std::string::npos) {
      section.error(key, "the option '" + option + "' has a comma, which separates the answers of a multiselect");
    }
  }
}

void QuestionReader::check_bounds(const Question& question, Section& section) {
  if (question.max_length != 0 && question.min_length > question.max_length) {
    section.error("minlength", "'" + question.name + "' has minlength above maxlength");
  }
  if (question.min && question.max && *question.min > *question.max) {
    section.error("min", "'" + question.name + "' has min above max");
  }
  const bool numeric = question.type == QuestionType::integer || question.type == QuestionType::floating;
  if ((question.min || question.max) && !numeric) {
    section.error(question.min ? "min" : "max", "min and max are for the types int and float",
                  "minlength and maxlength bound the length of a text");
  }
}

void QuestionReader::check_default(const Question& question, Section& section) {
  if (question.default_value.empty()) {
    return;
  }
  if (question.type == QuestionType::secret) {
    section.error("default", "'" + question.name + "' is a secret with a default",
                  "a secret does not belong in a file");
    return;
  }
  if (RE2(question.pattern, RE2::Quiet).ok()) {
    const CheckedAnswer checked = check_answer(question, question.default_value);
    if (!checked.mistake.empty()) {
      section.error("default", "the default of '" + question.name + "' is no valid answer: " + checked.mistake);
    }
  }
}

}  // namespace vdk::plugin::yaml

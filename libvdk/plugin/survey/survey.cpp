// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/survey.hpp"

#include <algorithm>
#include <set>

#include "vdk/core/text.hpp"
#include "vdk/plugin/macros.hpp"

namespace vdk::plugin {
namespace {

class Walk {
 public:
  explicit Walk(const SurveyInputs& inputs) : m_inputs(inputs) {
    for (const auto& [name, answer] : inputs.given) {
      m_given[text::lower(name)] = answer;
    }
  }

  void questions(const std::vector<Question>& list) {
    for (const Question& question : list) {
      m_known.insert(text::lower(question.name));
      if (question.when && !is_met(*question.when, m_answers[text::lower(question.when->question)])) {
        remember_names(question);
        continue;
      }
      const std::string value = answer(question);
      m_answers[text::lower(question.name)] = value;
      m_asked.insert(text::lower(question.name));
      m_result.answers.emplace_back(question.name, value);
      for (const Question::Branch& branch : question.branches) {
        if (branch.if_value == value) {
          questions(branch.questions);
        } else {
          remember_names(branch);
        }
      }
    }
  }

  SurveyResult finish() {
    std::vector<std::string> names(m_known.begin(), m_known.end());
    for (const auto& [name, answer] : m_inputs.given) {
      if (!m_known.contains(text::lower(name))) {
        const auto near = text::nearest(text::lower(name), names);
        problem(name, answer.source + ": there is no such question" + (near ? "; did you mean '" + *near + "'?" : ""));
      } else if (!m_asked.contains(text::lower(name))) {
        m_result.unused.push_back(name);
      }
    }
    return std::move(m_result);
  }

 private:
  void problem(const std::string& question, std::string message) {
    m_result.problems.push_back({question, std::move(message)});
  }
  void remember_names(const Question::Branch& branch) {
    for (const Question& question : branch.questions) {
      m_known.insert(text::lower(question.name));
      remember_names(question);
    }
  }
  void remember_names(const Question& question) {
    for (const Question::Branch& branch : question.branches) {
      remember_names(branch);
    }
  }

  std::optional<std::string> variable(const Question& question) const {
    return question.environment.empty() || !m_inputs.environment ? std::nullopt
                                                                 : m_inputs.environment(question.environment);
  }

  std::string answer(const Question& question) {
    if (question.type == QuestionType::secret) {
      return secret(question);
    }
    if (const auto given = m_given.find(text::lower(question.name)); given != m_given.end()) {
      return checked(question, given->second.value, given->second.source);
    }
    if (const auto value = variable(question)) {
      return checked(question, *value, "the variable " + question.environment);
    }
    const bool may_take_default = m_inputs.defaults && (!question.default_value.empty() || !question.required);
    if (m_inputs.ask && !may_take_default) {
      return ask(question, question.default_value);
    }
    const CheckedAnswer taken = check_answer(question, question.default_value);
    if (!taken.mistake.empty()) {
      problem(question.name, "is missing" + about(question));
    }
    return taken.value;
  }

  /// What a person must know to answer without seeing the question.
  static std::string about(const Question& question) {
    std::string out;
    if (!question.prompt.empty()) {
      out += ": " + question.prompt;
    }
    if (!question.options.empty()) {
      out += " (" + text::join(question.options, " | ") + ")";
    } else if (question.type != QuestionType::string) {
      out += " (" + std::string(to_string(question.type)) + ")";
    }
    return out;
  }

  std::string checked(const Question& question, const std::string& value, const std::string& source) {
    const CheckedAnswer result = check_answer(question, value);
    if (!result.mistake.empty()) {
      problem(question.name, source + ": " + result.mistake);
    }
    return result.value;
  }

  std::string ask(const Question& question, const std::string& fallback) {
    std::string mistake;
    while (true) {
      std::string typed = m_inputs.ask(question, fallback, mistake);
      typed = text::trim(typed).empty() ? fallback : typed;
      const CheckedAnswer result = check_answer(question, typed);
      if (result.mistake.empty()) {
        return result.value;
      }
      mistake = result.mistake;
    }
  }

  static bool is_reference(const std::string& value) {
    const auto trimmed = text::trim(value);
    return trimmed.starts_with("{{") && trimmed.ends_with("}}") && macros::holds_secret(trimmed) &&
           macros::check(trimmed).empty();
  }

  std::string secret(const Question& question) {
    std::string reference = "{{.secret." + question.name + "}}";
    if (const auto given = m_given.find(text::lower(question.name)); given != m_given.end()) {
      if (!is_reference(given->second.value)) {
        // The value is not repeated: it may be the secret.
        problem(question.name, given->second.source +
                                   ": a secret's value does not belong here; leave the question out, or write '" +
                                   reference + "'");
        return reference;
      }
      return std::string(text::trim(given->second.value));
    }
    std::string value = variable(question).value_or("");
    if (value.empty() && m_inputs.ask && !m_inputs.defaults) {
      Question optional = question;  // it may be set later
      optional.required = false;
      std::string mistake;
      do {
        value = m_inputs.ask(question, "", mistake);
        mistake = check_answer(optional, value).mistake;
      } while (!mistake.empty());
    }
    if (!value.empty()) {
      m_result.secrets.emplace_back(question.name, value);
    } else {
      m_result.wanted_secrets.push_back(question.name);
    }
    return reference;
  }

  const SurveyInputs& m_inputs;
  std::map<std::string, GivenAnswer> m_given;
  std::map<std::string, std::string> m_answers;
  std::set<std::string> m_known;
  std::set<std::string> m_asked;
  SurveyResult m_result;
};

}  // namespace

SurveyResult survey(const YamlPlugin& plugin, const SurveyInputs& inputs) {
  Walk walk(inputs);
  walk.questions(plugin.questions);
  return walk.finish();
}

std::vector<std::pair<std::string, std::string>> make_config(
    const YamlPlugin& plugin, const std::vector<std::pair<std::string, std::string>>& answers) {
  std::vector<std::pair<std::string, std::string>> config = answers;
  for (const DefaultConfig& entry : plugin.default_config) {
    const auto same = std::find_if(config.begin(), config.end(), [&](const auto& answer) {
      return text::lower(answer.first) == text::lower(entry.name);
    });
    if (same == config.end()) {
      config.emplace_back(entry.name, entry.value);
    } else if (entry.override_answer || same->second.empty()) {
      same->second = entry.value;
    }
  }
  return config;
}

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#include "cli/view/survey.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/view/terminal.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

using plugin::Question;
using plugin::QuestionType;

void say(const std::string& text) { std::fputs((text + "\n").c_str(), stderr); }

std::string expectation(const Question& question) {
  switch (question.type) {
    case QuestionType::boolean:
      return "y/n";
    case QuestionType::integer:
      return "a whole number";
    case QuestionType::floating:
      return "a number";
    case QuestionType::date:
      return "YYYY-MM-DD";
    case QuestionType::cron:
      return "a schedule of five fields";
    case QuestionType::secret:
      return "not shown; empty to set it later";
    case QuestionType::select:
      return "number or text";
    case QuestionType::multiselect:
      return "numbers or texts, separated by commas";
    case QuestionType::string:
    case QuestionType::path:
      break;
  }
  return {};
}

const std::string& title(const Question& question) { return question.prompt.empty() ? question.name : question.prompt; }

std::string line_of(const Question& question, const std::string& fallback) {
  std::string line = question.options.empty() ? title(question) : "  choose";
  std::string note = expectation(question);
  note += question.help.empty() ? "" : (note.empty() ? "" : ", ") + std::string("? for help");
  line += note.empty() ? "" : " (" + note + ")";
  return line + (fallback.empty() ? "" : " [" + fallback + "]");
}

/// 2 is the second option, unless an option is called 2.
std::string option_text(const Question& question, const std::string& typed) {
  const std::string word(text::trim(typed));
  const auto& options = question.options;
  const auto number = text::parse_int(word);
  const bool known = std::find(options.begin(), options.end(), word) != options.end();
  return !known && number && *number >= 1 && *number <= static_cast<long long>(options.size())
             ? options[static_cast<std::size_t>(*number - 1)]
             : word;
}

std::string read_choice(const Question& question, const std::string& typed) {
  if (question.type == QuestionType::select) {
    return option_text(question, typed);
  }
  if (question.type != QuestionType::multiselect) {
    return typed;
  }
  std::vector<std::string> chosen;
  for (const std::string& part : text::split(typed, ',')) {
    chosen.push_back(option_text(question, part));
  }
  return text::join(chosen, ",");
}

}  // namespace

std::string ask_question(const Question& question, const std::string& fallback, const std::string& mistake) {
  if (!mistake.empty()) {
    say("  " + mistake);
  }
  if (mistake.empty() && !question.options.empty()) {
    say(title(question));
    for (std::size_t i = 0; i < question.options.size(); ++i) {
      say("  " + std::to_string(i + 1) + ") " + question.options[i]);
    }
  }
  while (true) {
    const std::string line = line_of(question, fallback);
    const std::string typed =
        question.type == QuestionType::secret ? prompt_hidden(line, "--no-input") : ask_line(line, "--no-input");
    if (text::trim(typed) != "?") {
      return read_choice(question, typed);
    }
    say("  " +
        text::replace_all(question.help.empty() ? "There is no help for this question." : question.help, "\n", "\n  "));
  }
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>

#include "cli/commands/commands.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

class Candidates {
 public:
  explicit Candidates(std::string prefix) : m_prefix(std::move(prefix)) {}
  void add(const std::string& word, const std::string& meaning = {}) {
    if (word.starts_with(m_prefix) && m_seen.insert(word).second) {
      m_lines.push_back(meaning.empty() ? word : word + "\t" + meaning);
    }
  }
  void ask_shell(const std::string& kind) { m_lines.push_back(":" + kind); }
  [[nodiscard]] std::vector<std::string> take() { return std::move(m_lines); }

 private:
  std::string m_prefix;
  std::set<std::string> m_seen;
  std::vector<std::string> m_lines;
};

void add_values(Candidates& out, Completion kind, const std::vector<std::string>& words, const DynamicValues& values) {
  switch (kind) {
    case Completion::none:
      return;
    case Completion::file:
      out.ask_shell("file");
      return;
    case Completion::directory:
      out.ask_shell("directory");
      return;
    case Completion::job:
    case Completion::team:
    case Completion::execution:
      for (const std::string& value : values(kind, words)) {
        out.add(value);
      }
  }
}

const Option* find_option(const std::vector<Option>& options, const std::string& word) {
  const auto matches = [&](const Option& option) {
    return word == "--" + option.long_name || (!option.short_name.empty() && word == "-" + option.short_name);
  };
  const auto found = std::find_if(options.begin(), options.end(), matches);
  return found == options.end() ? nullptr : &*found;
}

bool takes_value(const Option& option) { return option.kind != OptionKind::flag && option.kind != OptionKind::count; }

void add_commands(Candidates& out, const std::string& group) {
  for (const Command& command : command_table()) {
    if (command.hidden) {
      continue;
    }
    const auto space = command.name.find(' ');
    if (group.empty()) {
      out.add(command.name.substr(0, space), space == std::string::npos ? command.summary : "");
    } else if (command.name.starts_with(group + " ")) {
      const std::string rest = command.name.substr(group.size() + 1);
      const auto deeper = rest.find(' ');
      out.add(rest.substr(0, deeper), deeper == std::string::npos ? command.summary : "");
    }
  }
}

void add_option_names(Candidates& out, const std::vector<Option>& options) {
  for (const Option& option : options) {
    if (!option.hidden) {
      out.add("--" + option.long_name, option.help);
    }
  }
}

/// Options that stand before the command.
std::size_t skip_root_options(const std::vector<std::string>& words) {
  std::size_t at = 0;
  while (at + 1 < words.size() && words[at].starts_with("-")) {
    const Option* option = find_option(common_options(), words[at]);
    at += option != nullptr && takes_value(*option) ? std::size_t{2} : std::size_t{1};
  }
  return at;
}

}  // namespace

std::vector<std::string> complete(const std::vector<std::string>& words, const DynamicValues& values) {
  if (words.empty()) {
    return {};
  }
  const std::string& current = words.back();
  const std::string previous = words.size() > 1 ? words[words.size() - 2] : std::string();
  Candidates out(current);
  const std::size_t at = skip_root_options(words);
  const Command* command = nullptr;
  std::size_t first_argument = at + 1;
  std::string group;
  for (std::size_t i = at; i + 1 < words.size(); ++i) {
    const std::string name = group.empty() ? words[i] : group + " " + words[i];
    const Command* member = find_command(name);
    if (member == nullptr && group_members(name).empty()) {
      break;
    }
    group = name;
    command = member;
    first_argument = i + 1;
  }
  const std::vector<Option> options = command != nullptr ? effective_options(*command) : common_options();
  if (const Option* option = find_option(options, previous); option != nullptr && takes_value(*option)) {
    for (const std::string& choice : option->choices) {
      out.add(text::is_valid_utf8(current) && !current.empty() && current == text::lower(current) ? text::lower(choice)
                                                                                                  : choice);
    }
    add_values(out, option->completion, words, values);
    return out.take();
  }
  if (current.starts_with("-")) {
    add_option_names(out, options);
    return out.take();
  }
  if (command == nullptr) {
    if (words.size() == first_argument + (group.empty() ? 0U : 1U)) {
      add_commands(out, group);
    }
    return out.take();
  }
  if (words.size() == first_argument + 1) {
    add_commands(out, group);  // a group that is a command too
  }
  if (words.size() > first_argument && !command->positionals.empty()) {
    add_values(out, command->positionals.front().completion, words, values);
  } else {
    add_option_names(out, options);
  }
  return out.take();
}

namespace {

std::string value_after(const std::vector<std::string>& words, const std::string& long_name,
                        const std::string& short_name) {
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == long_name || words[i] == short_name) {
      return words[i + 1];
    }
  }
  return {};
}

std::vector<std::string> ask_service(Context& context, Completion kind, const std::vector<std::string>& words) {
  // A Tab press must neither make files nor wait for a network.
  if (!context.rest_api_url().empty() || !std::filesystem::exists(context.home())) {
    return {};
  }
  std::vector<std::string> found;
  control::Service& service = context.service();
  const std::string job = value_after(words, "--name", "-n");
  for (const control::JobOverview& overview : service.list_jobs("", 0)) {
    if (kind == Completion::job) {
      found.push_back(overview.job.job_name);
    } else if (kind == Completion::team) {
      found.push_back(overview.job.team);
    } else if (overview.job.job_name == job) {
      for (const control::Execution& execution : service.list_executions(overview.job.team, job, {})) {
        found.push_back(execution.id);
      }
    }
  }
  return found;
}

}  // namespace

int run_complete(const ParsedCommand& command, Context& context) {
  try {
    const auto values = [&](Completion kind, const std::vector<std::string>& words) {
      return ask_service(context, kind, words);
    };
    std::string out;
    for (const std::string& line : complete(command.positionals, values)) {
      out += line + "\n";
    }
    print(out);
  } catch (const std::exception&) {
    // Completion has nobody to tell; the command itself will say what is wrong.
  }
  return 0;
}

}  // namespace vdk::cli

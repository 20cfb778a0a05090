// SPDX-License-Identifier: Apache-2.0
// The only place that knows CLI11. A parser is built for the invoked command alone, which keeps the start quick.
#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

std::string help_hint(const std::string& command) {
  return "see `vdk " + command + (command.empty() ? "" : " ") + "--help`";
}

[[noreturn]] void fail(const std::string& what, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::usage, {what, why, "nothing was done", countermeasures});
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates, const std::string& hint) {
  const auto near = text::nearest(word, candidates);
  return near ? "did you mean `" + *near + "`? otherwise " + hint : hint;
}

/// "--output FORMAT", "-oFORMAT" and the like before the command; returns how many words it took, 0 when it is none of
/// them.
std::size_t take_root_option(const std::vector<std::string>& words, std::size_t at, std::vector<std::string>& taken) {
  const std::string& word = words[at];
  for (const Option& option : common_options()) {
    if (option.kind == OptionKind::flag) {
      continue;
    }
    const std::string long_form = "--" + option.long_name;
    const std::string short_form = "-" + option.short_name;
    std::string value;
    std::size_t used = 1;
    if (word == long_form || word == short_form) {
      if (at + 1 >= words.size()) {
        fail("option '" + word + "' needs a value", "nothing follows it", help_hint(""));
      }
      value = words[at + 1];
      used = 2;
    } else if (word == "-vv" && option.long_name == "verbosity") {
      value = "DEBUG";
    } else if (word.starts_with(long_form + "=")) {
      value = word.substr(long_form.size() + 1);
    } else if (!word.starts_with("--") && word.starts_with(short_form)) {
      value = word.substr(short_form.size());
    } else {
      continue;
    }
    taken.insert(taken.end(), {long_form, value});
    return used;
  }
  return 0;
}

std::vector<std::string> known_first_words() {
  std::vector<std::string> words = {"help"};
  for (const Command& command : command_table()) {
    if (!command.hidden) {
      words.push_back(command.name.substr(0, command.name.find(' ')));
    }
  }
  return words;
}

[[noreturn]] void unknown_command(const std::string& word) {
  const bool option = word.starts_with("-");
  const std::string hint = "see `vdk --help` for all commands";
  const std::vector<std::string> options = {"--help", "--version", "--output", "--verbosity"};
  fail((option ? "no such option '" : "no such command '") + word + "'",
       option ? "vdk itself has no option of this name" : "vdk has no command of this name",
       did_you_mean(word, option ? options : known_first_words(), hint));
}

bool is_help_flag(const std::string& word) { return word == "--help" || word == "-h"; }

const Command* find_member(const std::string& group, const std::string& word,
                           const std::vector<const Command*>& members) {
  const Command* found = find_command(group + " " + word);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const Command* member : members) {
      names.push_back(member->name.substr(group.size() + 1));
    }
    fail("no such command '" + group + " " + word + "'", "`vdk " + group + "` has " + text::quoted_list(names),
         did_you_mean(word, names, help_hint(group)));
  }
  return found;
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  for (const std::string& word : arguments) {
    if (word == "--") {
      return false;
    }
    if (is_help_flag(word)) {
      return true;
    }
  }
  return false;
}

std::string option_names(const Option& option) {
  return option.short_name.empty() ? "'--" + option.long_name + "'"
                                   : "'--" + option.long_name + "' / '-" + option.short_name + "'";
}

void check_choice(const Option& option, const std::vector<std::string>& values) {
  if (option.choices.empty()) {
    return;
  }
  for (const std::string& value : values) {
    const auto same = [&](const std::string& choice) { return text::lower(choice) == text::lower(value); };
    if (std::none_of(option.choices.begin(), option.choices.end(), same)) {
      std::vector<std::string> quoted;
      for (const std::string& choice : option.choices) {
        quoted.push_back("'" + choice + "'");
      }
      fail("invalid value for " + option_names(option), "'" + value + "' is not one of " + text::join(quoted, ", "),
           "give one of these values");
    }
  }
}

CLI::Option* declare(CLI::App& app, const Option& option) {
  std::string names = "--" + option.long_name;
  if (!option.short_name.empty()) {
    names = "-" + option.short_name + "," + names;
  }
  for (const std::string& alias : option.aliases) {
    names += ",--" + alias;
  }
  if (option.kind == OptionKind::flag || option.kind == OptionKind::count) {
    return app.add_flag(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  // Raw results are read later: CLI11's conversions give a meaning to "{}" and "[...]", which JSON arguments need.
  CLI::Option* added = app.add_option(names);
  added->type_size(option.kind == OptionKind::pair ? 2 : 1)->expected(1, -1)->allow_extra_args(false);
  return added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// -vv is --verbosity DEBUG for commands whose -v is --verbosity.
std::vector<std::string> with_long_verbosity(std::vector<std::string> words, const std::vector<Option>& options) {
  const auto verbosity = [](const Option& option) {
    return option.long_name == "verbosity" && option.short_name == "v";
  };
  if (std::any_of(options.begin(), options.end(), verbosity)) {
    std::replace(words.begin(), std::find(words.begin(), words.end(), "--"), std::string("-vv"),
                 std::string("--verbosity=DEBUG"));
  }
  return words;
}

void refuse_extras(const CLI::App& app, const Command& command, const std::vector<Option>& options) {
  std::vector<std::string> extras = app.remaining();
  extras.erase(std::remove(extras.begin(), extras.end(), "--"), extras.end());  // CLI11 counts the marker as one
  if (extras.empty()) {
    return;
  }
  const std::string word = extras.front().substr(0, extras.front().find('='));
  if (!word.starts_with("-") || word == "-") {
    fail("unexpected argument '" + extras.front() + "'",
         command.positionals.empty() ? "`vdk " + command.name + "` takes options only" : "there are too many arguments",
         help_hint(command.name));
  }
  std::vector<std::string> candidates;
  for (const Option& option : options) {
    if (!option.hidden) {
      candidates.push_back("--" + option.long_name);
    }
  }
  fail("no such option '" + word + "'", "`vdk " + command.name + "` has no option of this name",
       did_you_mean(word, candidates, help_hint(command.name)));
}

void check_positionals(const ParsedCommand& parsed) {
  const auto& declared = parsed.command->positionals;
  const bool any_number = parsed.command->name == "__complete";
  for (std::size_t i = parsed.positionals.size(); i < declared.size(); ++i) {
    if (declared[i].required) {
      fail("missing argument " + declared[i].name, declared[i].help, help_hint(parsed.command->name));
    }
  }
  if (!any_number && parsed.positionals.size() > declared.size()) {
    fail("unexpected argument '" + parsed.positionals[declared.size()] + "'",
         declared.empty() ? "`vdk " + parsed.command->name + "` takes options only" : "there are too many arguments",
         help_hint(parsed.command->name));
  }
}

}  // namespace

std::optional<std::string> ParsedCommand::value(const std::string& option) const {
  const auto found = values.find(option);
  return found == values.end() || found->second.empty() ? std::nullopt : std::optional(found->second.back());
}

std::string ParsedCommand::value_or(const std::string& option, std::string fallback) const {
  return value(option).value_or(std::move(fallback));
}

std::vector<std::string> ParsedCommand::all(const std::string& option) const {
  const auto found = values.find(option);
  return found == values.end() ? std::vector<std::string>{} : found->second;
}

std::size_t ParsedCommand::count(const std::string& option) const { return all(option).size(); }

bool ParsedCommand::json() const {
  // `executor --output` names a folder too, so what is no format does not count.
  std::string format;
  for (const std::string& given : all("output")) {
    const std::string lower = text::lower(given);
    format = lower == "json" || lower == "text" ? lower : format;
  }
  return format == "json";
}

Invocation find_invocation(const std::vector<std::string>& arguments) {
  Invocation found;
  std::vector<std::string> root_options;
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at].starts_with("-")) {
    if (is_help_flag(arguments[at])) {
      found.kind = Invocation::Kind::root_help;
      return found;
    }
    if (arguments[at] == "--version") {
      found.kind = Invocation::Kind::version;
      found.command = find_command("version");
      found.arguments = root_options;
      found.arguments.insert(found.arguments.end(), arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                             arguments.end());
      return found;
    }
    const std::size_t used = take_root_option(arguments, at, root_options);
    if (used == 0) {
      unknown_command(arguments[at]);
    }
    at += used;
  }
  if (at < arguments.size() && arguments[at] == "help") {
    found.help = true;
    ++at;
  }
  if (at >= arguments.size()) {
    found.kind = Invocation::Kind::root_help;
    return found;
  }
  const std::string& first = arguments[at++];
  found.command = find_command(first);
  if (const auto members = group_members(first); !members.empty()) {
    found.group = first;
    const bool option_or_end = at >= arguments.size() || arguments[at].starts_with("-");
    if (found.command == nullptr && (at >= arguments.size() || is_help_flag(arguments[at]))) {
      found.kind = Invocation::Kind::group_help;
      return found;
    }
    if (found.command == nullptr || !option_or_end) {
      found.command = find_member(first, arguments[at], members);
      ++at;
    }
  } else if (found.command == nullptr) {
    unknown_command(first);
  }
  found.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
  found.help = found.help || asks_for_help(found.arguments);
  found.arguments.insert(found.arguments.begin(), root_options.begin(), root_options.end());
  return found;
}

std::optional<std::size_t> foreign_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> ignored;
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at].starts_with("-")) {
    const std::size_t used = take_root_option(arguments, at, ignored);
    if (used == 0) {
      return std::nullopt;
    }
    at += used;
  }
  const bool known = at >= arguments.size() || arguments[at] == "help" || find_command(arguments[at]) != nullptr ||
                     !group_members(arguments[at]).empty();
  return known ? std::nullopt : std::optional(at);
}

ParsedCommand parse_command(const Invocation& invocation) {
  const Command& command = *invocation.command;
  const std::vector<Option> options = effective_options(command);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras(true);
  std::vector<CLI::Option*> declared;
  for (const Option& option : options) {
    declared.push_back(declare(app, option));
  }
  CLI::Option* positionals = nullptr;
  if (!command.positionals.empty()) {
    positionals = app.add_option("POSITIONALS")->type_size(1)->expected(0, -1);
    positionals->allow_extra_args(true)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  try {
    std::vector<std::string> words = with_long_verbosity(invocation.arguments, options);
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string message = error.what();
    fail("option '" + message.substr(0, message.find(':')) + "' needs a value", "nothing follows it, or too little",
         help_hint(command.name));
  } catch (const CLI::ParseError& error) {
    fail("cannot understand the options of `vdk " + command.name + "`", error.what(), help_hint(command.name));
  }
  refuse_extras(app, command, options);
  ParsedCommand parsed;
  parsed.command = &command;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (declared[i]->count() > 0) {
      check_choice(options[i], declared[i]->results());
      parsed.values[options[i].long_name] = declared[i]->results();
    }
  }
  if (positionals != nullptr) {
    parsed.positionals = positionals->results();
  }
  check_positionals(parsed);
  return parsed;
}

bool wants_json(const std::vector<std::string>& arguments) {
  bool json = false;
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string word = text::lower(arguments[i]);
    const bool separate = arguments[i] == "-o" || word == "--output";
    if (separate && i + 1 < arguments.size()) {
      const std::string format = text::lower(arguments[i + 1]);
      json = format == "json" || (json && format != "text");
    } else if (word == "--output=json" || (arguments[i].starts_with("-o") && word == "-ojson") || word == "-o=json") {
      json = true;
    }
  }
  return json;
}

}  // namespace vdk::cli

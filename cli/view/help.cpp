// SPDX-License-Identifier: Apache-2.0
#include "cli/view/help.hpp"

#include <algorithm>

#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

constexpr std::size_t text_width = 100;

/// Words of `text` in lines of at most text_width, the following ones indented.
std::string wrap(std::string_view text, std::size_t first, std::size_t indent) {
  std::string out;
  std::size_t column = first;
  bool start = true;
  for (const std::string& word : text::split(text, ' ')) {
    const std::size_t width = text::display_width(word);
    if (!start && column + 1 + width > text_width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
    start = false;
  }
  return out + "\n";
}

std::string entry(const std::string& heading, const std::string& text, std::size_t gutter) {
  std::string out = "  " + heading;
  if (heading.size() + 4 > gutter) {
    out += "\n" + std::string(gutter, ' ');
  } else {
    out += std::string(gutter - heading.size() - 2, ' ');
  }
  return out + wrap(text, gutter, gutter);
}

std::string command_list(const std::vector<const Command*>& commands) {
  std::string out;
  for (const Command* command : commands) {
    out += entry(command->name, command->summary, 20);
  }
  return out;
}

std::string examples(const Command& command) {
  std::string out;
  for (const Example& example : command.examples) {
    out += "  # " + example.text + "\n  " + example.command + "\n";
  }
  return out.empty() ? out : "Examples:\n" + out + "\n";
}

}  // namespace

std::string usage_line(const Command& command) {
  std::string line = "vdk " + command.name + " [OPTIONS]";
  for (const Positional& positional : command.positionals) {
    const std::string name = positional.name + (positional.many ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  return line;
}

std::string option_heading(const Option& option) {
  std::string heading = option.short_name.empty() ? "" : "-" + option.short_name + ", ";
  heading += "--" + option.long_name;
  for (const std::string& alias : option.aliases) {
    heading += ", --" + alias;
  }
  return option.metavar.empty() ? heading : heading + " " + option.metavar;
}

std::string option_text(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty()) {
    text += " One of " + text::join(option.choices, ", ") + ".";
  }
  if (!option.default_value.empty()) {
    text += " [default: " + option.default_value + "]";
  }
  if (!option.environment.empty()) {
    text += " [environment: " + option.environment + "]";
  }
  return text;
}

std::vector<int> all_exit_codes(const Command& command) {
  std::vector<int> codes = {0, 2, 70};
  codes.insert(codes.end(), command.exit_codes.begin(), command.exit_codes.end());
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

std::string root_help() {
  std::vector<const Command*> commands;
  for (const Command& command : command_table()) {
    if (!command.hidden) {
      commands.push_back(&command);
    }
  }
  return "vdk makes, runs, deploys and schedules data jobs.\n\n"
         "Examples:\n"
         "  # Make a data job, run it here, and deploy it\n"
         "  vdk create -n hello-job -t my-team\n"
         "  vdk run hello-job\n"
         "  vdk deploy -p hello-job\n"
         "  # Run it by hand and read its log\n"
         "  vdk execute -n hello-job --start --wait\n"
         "  vdk execute -n hello-job --logs\n"
         "  # Run deployed jobs on their schedules\n"
         "  vdk server\n\n"
         "Usage: vdk [OPTIONS] COMMAND [ARGUMENTS]\n\n"
         "Commands:\n" +
         command_list(commands) + "\nOptions:\n" +
         entry("-v, --verbosity LEVEL", "CRITICAL, ERROR, WARNING, INFO or DEBUG.", 28) +
         entry("-o, --output FORMAT", "TEXT or JSON.", 28) + entry("--version", "Show the version and exit.", 28) +
         entry("-h, --help", "Show this help and exit; after a command, that command's help.", 28);
}

std::string foreign_command_list(const std::map<std::string, std::string>& commands) {
  std::string out = "\nCommands of Python plugins:\n";
  for (const auto& [name, summary] : commands) {
    out += entry(name, summary, 28);
  }
  return out;
}

std::string group_help(std::string_view group) {
  return "Usage: vdk " + std::string(group) + " COMMAND [ARGUMENTS]\n\nCommands:\n" +
         command_list(group_members(group));
}

std::string command_help(const Command& command) {
  std::string out = command.summary + "\n\n" + examples(command) + "Usage: " + usage_line(command) + "\n\n";
  out += wrap(command.description, 0, 0) + "\n";
  if (!command.positionals.empty()) {
    out += "Arguments:\n";
    for (const Positional& positional : command.positionals) {
      out += entry(positional.name, positional.help, 34);
    }
    out += "\n";
  }
  if (const auto members = group_members(command.name); !members.empty()) {
    out += "Commands:\n" + command_list(members) + "\n";
  }
  out += "Options:\n";
  for (const Option& option : effective_options(command)) {
    if (!option.hidden) {
      out += entry(option_heading(option), option_text(option), 34);
    }
  }
  out += "\nExit codes:\n";
  for (const int code : all_exit_codes(command)) {
    out += entry(std::to_string(code), std::string(exit_code_meaning(code)), 8);
  }
  return out;
}

}  // namespace vdk::cli

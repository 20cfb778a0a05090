// SPDX-License-Identifier: Apache-2.0
#include "cli/generate.hpp"

#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/view/help.hpp"
#include "vdk/control/server_config.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

/// Text for roff: backslashes, hyphens that are typed, and lines that would be requests.
std::string roff(std::string text) {
  text = text::replace_all(std::move(text), "\\", "\\e");
  text = text::replace_all(std::move(text), "-", "\\-");
  text = text::replace_all(std::move(text), "'", "\\(aq");
  return text.starts_with(".") ? "\\&" + text : text;
}

std::string markdown(std::string text) {
  text = text::replace_all(std::move(text), "|", "\\|");
  text = text::replace_all(std::move(text), "*", "\\*");
  return text::replace_all(std::move(text), "_", "\\_");
}

constexpr const char* server_keys_begin = "<!-- keys: made by `vdk __generate server-keys FILE`; do not edit -->\n";
constexpr const char* server_keys_end = "<!-- end of keys -->\n";

std::string page_name(const Command& command) { return "vdk-" + text::replace_all(command.name, " ", "-"); }

std::string man_header(const std::string& name, const std::string& summary) {
  return ".\\\" Made from the command table; do not edit.\n.TH " + text::upper(roff(name)) +
         " 1 \"\" \"vdk\" \"vdk manual\"\n" + ".SH NAME\n" + roff(name) + " \\- " + roff(summary) + "\n";
}

std::string man_page(const Command& command) {
  std::string out = man_header(page_name(command), command.summary);
  out += ".SH SYNOPSIS\n.B " + roff(usage_line(command)) + "\n.SH EXAMPLES\n";
  for (const Example& example : command.examples) {
    out += ".TP\n.B " + roff(example.command) + "\n" + roff(example.text) + "\n";
  }
  out += ".SH DESCRIPTION\n" + roff(command.description) + "\n";
  if (!command.positionals.empty()) {
    out += ".SH ARGUMENTS\n";
    for (const Positional& positional : command.positionals) {
      out += ".TP\n.I " + roff(positional.name) + "\n" + roff(positional.help) + "\n";
    }
  }
  out += ".SH OPTIONS\n";
  for (const Option& option : effective_options(command)) {
    if (!option.hidden) {
      out += ".TP\n.B " + roff(option_heading(option)) + "\n" + roff(option_text(option)) + "\n";
    }
  }
  out += ".SH EXIT STATUS\n";
  for (const int code : all_exit_codes(command)) {
    out += ".TP\n.B " + std::to_string(code) + "\n" + roff(std::string(exit_code_meaning(code))) + "\n";
  }
  return out + ".SH SEE ALSO\n.BR vdk (1)\n";
}

std::string main_page() {
  std::string out = man_header("vdk", "make, run, deploy and schedule data jobs");
  out += ".SH SYNOPSIS\n.B vdk [OPTIONS] COMMAND [ARGUMENTS]\n.SH COMMANDS\n";
  for (const Command& command : command_table()) {
    if (!command.hidden) {
      out += ".TP\n.BR " + roff(page_name(command)) + " (1)\n" + roff(command.summary) + "\n";
    }
  }
  return out;
}

constexpr const char* bash_script = R"(# bash completion for vdk; made from the command table, do not edit
_vdk() {
  local cur words line kind
  cur=${COMP_WORDS[COMP_CWORD]}
  words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :file) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
      :directory) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$cur") ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <(vdk __complete -- "${words[@]}" 2>/dev/null </dev/null)
}
complete -F _vdk vdk
)";

constexpr const char* zsh_script = R"(#compdef vdk
# zsh completion for vdk; made from the command table, do not edit
_vdk() {
  local line
  local -a found
  while IFS= read -r line; do
    case $line in
      :file) _files ;;
      :directory) _files -/ ;;
      *$'\t'*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) found+=("${line//:/\\:}") ;;
    esac
  done < <(vdk __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)
  (( ${#found} )) && _describe -V vdk found
}
compdef _vdk vdk
)";

constexpr const char* fish_script = R"(# fish completion for vdk; made from the command table, do not edit
function __vdk_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (vdk __complete -- $words[2..-1] 2>/dev/null </dev/null)
        switch $line
            case :file
                __fish_complete_path (commandline -ct)
            case :directory
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c vdk -f -a '(__vdk_complete)'
)";

void write_all(const std::map<std::string, std::string>& generated, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, content] : generated) {
    files::write_atomic(folder / name, content);
  }
}

}  // namespace

std::map<std::string, std::string> generate_man_pages() {
  std::map<std::string, std::string> pages = {{"vdk.1", main_page()}};
  for (const Command& command : command_table()) {
    if (!command.hidden) {
      pages[page_name(command) + ".1"] = man_page(command);
    }
  }
  return pages;
}

std::map<std::string, std::string> generate_completions() {
  return {{"vdk.bash", bash_script}, {"_vdk", zsh_script}, {"vdk.fish", fish_script}};
}

std::string generate_reference() {
  std::string out =
      "<!-- Made from the command table by `vdk __generate docs FILE`; do not edit. -->\n# Commands of vdk\n\n"
      "Every command takes `-o text|json`, `-v LEVEL` (`--verbosity`) and `--help`. Results go to standard output, "
      "everything else to standard error.\n";
  for (const Command& command : command_table()) {
    if (command.hidden) {
      continue;
    }
    out += "\n## vdk " + command.name + "\n\n" + markdown(command.summary) + "\n\n```sh\n";
    for (const Example& example : command.examples) {
      out += "# " + example.text + "\n" + example.command + "\n";
    }
    out += "```\n\n" + markdown(command.description) + "\n\nUsage: `" + usage_line(command) + "`\n\n";
    if (!command.positionals.empty()) {
      out += "| argument | meaning |\n|---|---|\n";
      for (const Positional& positional : command.positionals) {
        out += "| `" + positional.name + "` | " + markdown(positional.help) + " |\n";
      }
      out += "\n";
    }
    out += "| option | meaning |\n|---|---|\n";
    for (const Option& option : effective_options(command)) {
      if (!option.hidden) {
        out += "| `" + option_heading(option) + "` | " + markdown(option_text(option)) + " |\n";
      }
    }
    out += "\nExit codes:";
    for (const int code : all_exit_codes(command)) {
      out += (code == 0 ? " " : "; ") + std::to_string(code) + " " + std::string(exit_code_meaning(code));
    }
    out += ".\n";
  }
  return out;
}

std::string generate_server_keys() {
  std::string out = std::string(server_keys_begin) + "| key | variable | default | meaning |\n|---|---|---|---|\n";
  for (const control::ServerKey& key : control::server_keys()) {
    const std::string fallback = key.default_value.empty() ? "" : markdown(key.default_value);
    out += "| `" + key.key + "` | `" + key.environment + "` | " + fallback + " | " + markdown(key.help) +
           (key.secret ? " A secret." : "") + " |\n";
  }
  return out + server_keys_end;
}

namespace {

/// The page with the table of keys in it renewed.
std::string renew_server_keys(const std::string& page) {
  const auto begin = page.find(server_keys_begin);
  const auto end = page.find(server_keys_end);
  if (begin == std::string::npos || end == std::string::npos) {
    throw Error(ErrorKind::usage, {"cannot renew the table of keys", "the page has no place for it",
                                   "nothing was written", "put " + std::string(server_keys_begin) + " into it"});
  }
  return page.substr(0, begin) + generate_server_keys() + page.substr(end + std::string(server_keys_end).size());
}

}  // namespace

int run_generate(const ParsedCommand& command, Context&) {
  const std::string& kind = command.positionals.at(0);
  const std::filesystem::path target = command.positionals.at(1);
  if (kind == "man") {
    write_all(generate_man_pages(), target);
  } else if (kind == "completions") {
    write_all(generate_completions(), target);
  } else if (kind == "docs") {
    files::write_atomic(target, generate_reference());
  } else if (kind == "server-keys") {
    files::write_atomic(target, renew_server_keys(files::read(target)));
  } else {
    throw Error(ErrorKind::usage, {"cannot generate '" + kind + "'", "it is not man, completions, docs or server-keys",
                                   "nothing was written", "give one of these"});
  }
  return 0;
}

}  // namespace vdk::cli

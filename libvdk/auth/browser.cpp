// SPDX-License-Identifier: Apache-2.0
#include "auth/oauth.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::auth {
namespace {

bool set(const char* name) { return !process::environment(name).value_or("").empty(); }

/// BROWSER holds commands separated by colons; %s stands for the address.
std::vector<std::string> command_line(const std::string& command, const std::string& url) {
  std::vector<std::string> words;
  bool placed = false;
  for (const std::string& word : text::split(command, ' ')) {
    if (word.empty()) {
      continue;
    }
    placed = placed || word.find("%s") != std::string::npos;
    words.push_back(text::replace_all(word, "%s", url));
  }
  if (!placed) {
    words.push_back(url);
  }
  return words;
}

bool start(const std::vector<std::string>& words) {
  if (words.size() < 2 || (words[0].find('/') == std::string::npos && !process::find_program(words[0]))) {
    return false;
  }
  process::Command command;
  command.argv = words;
  try {
    (void)process::spawn_detached(command, "/dev/null");
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool open_browser(const std::string& url) {
  const std::string wanted = process::environment("BROWSER").value_or("");
  for (const std::string& command : text::split(wanted, ':')) {
    if (start(command_line(command, url))) {
      return true;
    }
  }
  return wanted.empty() && (set("DISPLAY") || set("WAYLAND_DISPLAY")) && start({"xdg-open", url});
}

}  // namespace vdk::auth

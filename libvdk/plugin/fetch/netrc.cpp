// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/netrc.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "plugin/fetch/secret_file.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

/// Words of the file: blanks separate them, quotes keep them together, `#` starts a comment, a macro ends at an empty
/// line.
std::vector<std::string> words_of(const std::string& content) {
  std::vector<std::string> words;
  bool macro = false;
  for (const std::string& line : text::lines(content)) {
    if (macro) {
      macro = !text::trim(line).empty();
      continue;
    }
    std::string_view rest = text::trim(line);
    while (!rest.empty() && !rest.starts_with('#')) {
      std::string word;
      const bool quoted = rest.starts_with('"');
      std::size_t at = quoted ? 1 : 0;
      for (; at < rest.size() && (quoted ? rest[at] != '"' : rest[at] != ' ' && rest[at] != '\t'); ++at) {
        at += quoted && rest[at] == '\\' && at + 1 < rest.size() ? 1U : 0U;
        word += rest[at];
      }
      rest = text::trim(rest.substr(std::min(at + (quoted ? 1U : 0U), rest.size())));
      macro = !quoted && word == "macdef";
      if (macro) {
        break;
      }
      words.push_back(word);
    }
  }
  return words;
}

}  // namespace

std::filesystem::path netrc_file(const ProviderConfig& config) {
  if (!config.auth.name.empty()) {
    return secret_path(config.auth.name, std::filesystem::path(config.where.file).parent_path());
  }
  const auto named = process::environment("NETRC");
  return named && !named->empty() ? std::filesystem::path(*named) : files::home_directory() / ".netrc";
}

std::optional<NetrcLogin> netrc_login(const std::filesystem::path& file, const std::string& host) {
  const std::string content = read_secret_file(file, "'netrc'");
  const std::vector<std::string> words = words_of(content);
  std::optional<NetrcLogin> by_default;
  std::optional<NetrcLogin> found;
  std::optional<NetrcLogin>* entry = nullptr;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "default") {
      entry = &by_default;
      entry->emplace();
    } else if (words[i] == "machine" && i + 1 < words.size()) {
      const bool wanted = text::lower(words[++i]) == host && !found;
      entry = wanted ? &found : nullptr;
      if (wanted) {
        found.emplace();
      }
    } else if ((words[i] == "login" || words[i] == "password" || words[i] == "account") && i + 1 < words.size()) {
      const std::string& value = words[++i];
      if (entry != nullptr && words[i - 1] != "account") {
        (words[i - 1] == "login" ? (*entry)->user : (*entry)->password) = value;
      }
    }
  }
  return found ? found : by_default;
}

}  // namespace vdk::plugin

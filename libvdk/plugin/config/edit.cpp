// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "plugin/config/reader.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

std::size_t indent_of(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

bool is_blank_or_comment(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first == std::string::npos || line[first] == '#';
}

/// Lines [first, last) of the list item that stands at `line` (from 0); nothing when it is not in block style.
std::optional<std::pair<std::size_t, std::size_t>> item_lines(const std::vector<std::string>& lines, std::size_t line) {
  std::size_t first = line;
  while (first > 0 && is_blank_or_comment(lines[first])) {
    --first;
  }
  if (first >= lines.size() || indent_of(lines[first]) >= lines[first].size() ||
      lines[first][indent_of(lines[first])] != '-') {
    if (first == 0 || lines[first - 1].find_first_not_of(" -") != std::string::npos ||
        lines[first - 1].find('-') == std::string::npos) {
      return std::nullopt;
    }
    --first;  // "-" on a line of its own
  }
  const std::size_t indent = indent_of(lines[first]);
  std::size_t last = first + 1;
  for (std::size_t at = last; at < lines.size(); ++at) {
    if (is_blank_or_comment(lines[at])) {
      continue;  // belongs to what follows it
    }
    if (indent_of(lines[at]) <= indent) {
      break;
    }
    last = at + 1;
  }
  return std::make_pair(first, last);
}

/// What a configuration means without one plugin and the providers that nobody uses.
std::string digest_without(Config config, const std::string& plugin) {
  std::erase_if(config.plugins, [&](const PluginEntry& one) { return one.name == plugin; });
  std::set<std::string> used;
  for (const PluginEntry& one : config.plugins) {
    used.insert(one.provider);
  }
  std::erase_if(config.providers, [&](const ProviderConfig& one) { return !used.contains(one.name); });
  return config::digest(config);
}

bool means_the_same(const Config& before, const std::string& plugin, const std::string& content) {
  const files::TemporaryDirectory scratch;
  const auto file = scratch.path() / "vdk-plugins.yaml";
  files::write_atomic(file, content);
  try {
    const Config after = load_config(file);
    return after.plugins.size() + 1 == before.plugins.size() && after.servers.size() == before.servers.size() &&
           digest_without(after, plugin) == digest_without(before, plugin);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string config_without(const Config& config, const std::string& plugin) {
  const auto entry = std::find_if(config.plugins.begin(), config.plugins.end(),
                                  [&](const PluginEntry& one) { return one.name == plugin; });
  if (entry == config.plugins.end()) {
    std::vector<std::string> names;
    for (const PluginEntry& one : config.plugins) {
      names.push_back(one.name);
    }
    const auto near = text::nearest(plugin, names);
    throw Error(ErrorKind::not_found,
                {.what = "there is no plugin '" + plugin + "'",
                 .why = "'" + config.file.string() + "' does not name it",
                 .consequences = "Nothing was changed.",
                 .countermeasures = near            ? "Did you mean '" + *near + "'?"
                                    : names.empty() ? "The list of plugins is empty."
                                                    : "It has " + text::quoted_list(names) + "."});
  }
  const std::string content = files::read(config.file);
  const std::vector<std::string> lines = text::lines(content);
  const auto range = item_lines(lines, entry->where.line - 1);
  std::string out;
  if (range) {
    std::size_t number = 0;
    std::size_t start = 0;
    while (start < content.size()) {  // by hand: line ends stay as they are
      const auto end = content.find('\n', start);
      const std::size_t next = end == std::string::npos ? content.size() : end + 1;
      if (number < range->first || number >= range->second) {
        out += content.substr(start, next - start);
      }
      ++number;
      start = next;
    }
  }
  if (!range || !means_the_same(config, plugin, out)) {
    throw Error(ErrorKind::unsupported,
                {.what = "'" + plugin + "' cannot be taken out of the configuration safely",
                 .why = "its entry is not a list item on lines of its own",
                 .consequences = "Nothing was changed.",
                 .countermeasures = "Remove it by hand in the line shown, then run `vdk plugin install`."},
                entry->where);
  }
  return out;
}

}  // namespace vdk::plugin

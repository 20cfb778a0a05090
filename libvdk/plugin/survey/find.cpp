// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/survey.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

FoundPlugin from_file(const fs::path& file, std::string origin) {
  FoundPlugin found;
  found.plugin = load_yaml_plugin(file);
  found.sha256 = sha256_hex(files::read(file));
  found.origin = std::move(origin);
  return found;
}

bool looks_like_a_file(const std::string& wanted) {
  return wanted.find('/') != std::string::npos || wanted.ends_with(".yaml") || wanted.ends_with(".yml");
}

/// True when a plugin answers to NAME@VERSION; the fork's files have several versions in one.
bool has_version(const YamlPlugin& plugin, const std::string& version) {
  return version.empty() || plugin.version == version ||
         std::any_of(plugin.versions.begin(), plugin.versions.end(),
                     [&](const PluginVersion& one) { return one.name == version; });
}

}  // namespace

std::vector<fs::path> shipped_plugins() {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(files::share_directory() / "plugins" / "yaml", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".yaml") {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

FoundPlugin find_plugin(const std::string& wanted, const fs::path& plugin_dir) {
  if (looks_like_a_file(wanted)) {
    return from_file(wanted, "file");
  }
  const auto at = wanted.find('@');
  const std::string name = wanted.substr(0, at);
  const std::string version = at == std::string::npos ? "" : wanted.substr(at + 1);
  std::vector<std::string> names;
  std::vector<std::string> versions;
  (void)plugin_dir;
  for (const fs::path& file : shipped_plugins()) {
    names.push_back(file.stem().string());
    if (names.back() == name) {
      FoundPlugin found = from_file(file, "vdk");
      if (has_version(found.plugin, version)) {
        return found;
      }
      versions.push_back(found.plugin.version);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto near = text::nearest(name, names);
  throw Error(ErrorKind::not_found,
              {"cannot find the plugin '" + wanted + "'",
               versions.empty() ? "there are " + (names.empty() ? "none" : text::quoted_list(names))
                                : "there is version " + text::quoted_list(versions),
               "nothing was created",
               near && versions.empty() ? "did you mean '" + *near + "'?"
                                        : "install it with `vdk plugin install`, or give the path of its YAML file"});
}

}  // namespace vdk::plugin

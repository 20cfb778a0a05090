// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/survey.hpp"
#include "vdk/plugin/sync.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

bool looks_like_a_file(const std::string& wanted) {
  return wanted.find('/') != std::string::npos || wanted.find(".yaml") != std::string::npos ||
         wanted.find(".yml") != std::string::npos;
}

FoundPlugin from_file(const fs::path& file, std::string origin) {
  FoundPlugin found;
  found.plugin = load_yaml_plugin(file);
  found.sha256 = sha256_hex(files::read(file));
  found.origin = std::move(origin);
  return found;
}

/// Choose a version of a file that may have several; false when it has none of this name.
bool choose(FoundPlugin& found, const std::string& version) {
  const auto& versions = found.plugin.versions;
  if (std::any_of(versions.begin(), versions.end(), [&](const PluginVersion& one) { return one.name == version; })) {
    found.version = version;
    return true;
  }
  return version.empty() || found.plugin.version == version;
}

std::vector<std::string> versions_of(const FoundPlugin& found) {
  std::vector<std::string> names;
  for (const PluginVersion& one : found.plugin.versions) {
    names.push_back(one.name);
  }
  return names.empty() ? std::vector{found.plugin.version} : names;
}

[[noreturn]] void refuse(const std::string& wanted, std::vector<std::string> names,
                         const std::vector<std::string>& versions) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto near = text::nearest(wanted.substr(0, wanted.find('@')), names);
  throw Error(ErrorKind::not_found,
              {"cannot find the plugin '" + wanted + "'",
               versions.empty() ? "there are " + (names.empty() ? "none" : text::quoted_list(names))
                                : "there is version " + text::quoted_list(versions),
               "nothing was created",
               near && versions.empty() ? "did you mean '" + *near + "'?"
                                        : "install it with `vdk plugin install`, or give the path of its YAML file"});
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
  std::error_code ignored;
  const auto at = fs::exists(wanted, ignored) ? std::string::npos : wanted.rfind('@');
  const std::string name = wanted.substr(0, at);
  const std::string version = at == std::string::npos ? "" : wanted.substr(at + 1);
  std::vector<std::string> names;
  std::vector<std::string> versions;
  const auto fits = [&](FoundPlugin& found) {
    if (choose(found, version)) {
      return true;
    }
    for (std::string& one : versions_of(found)) {
      versions.push_back(std::move(one));
    }
    return false;
  };
  if (looks_like_a_file(wanted)) {
    FoundPlugin found = from_file(name, "file");
    if (!fits(found)) {
      refuse(wanted, names, versions);
    }
    return found;
  }
  for (const Available& one : available(plugin_dir)) {
    const bool candidate = !one.yaml_file.empty() && one.plugin.name == name && (!one.shadowed || !version.empty());
    if (!one.yaml_file.empty()) {
      names.push_back(one.plugin.name);
    }
    if (candidate) {
      FoundPlugin found = from_file(one.yaml_file, one.origin);
      found.sha256 = one.plugin.tree_sha256;
      if (fits(found) || one.plugin.version == version) {
        return found;
      }
    }
  }
  for (const fs::path& file : shipped_plugins()) {
    names.push_back(file.stem().string());
    if (names.back() == name) {
      FoundPlugin found = from_file(file, "vdk");
      if (fits(found)) {
        return found;
      }
    }
  }
  refuse(wanted, names, versions);
}

}  // namespace vdk::plugin

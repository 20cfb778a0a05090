// SPDX-License-Identifier: Apache-2.0
#include "plugin/sync/legacy_zip.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "plugin/config/versions.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/plugin/archive.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin::detail {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::string first_mistake(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    if (problem.severity == Problem::Severity::error) {
      return "line " + std::to_string(problem.location.line) + ": " + problem.message;
    }
  }
  return "";
}

Offer read_legacy_zip(std::string_view zip, const Limits& limits) {
  const files::TemporaryDirectory scratch;
  const fs::path file = scratch.path() / "plugins.zip";
  std::ofstream(file, std::ios::binary) << zip;
  const fs::path folder = scratch.path() / "unpacked";
  fs::create_directory(folder);
  UnpackOptions options;
  options.archive = PluginEntry::Archive::automatic;
  options.file_name = "plugins.zip";
  options.limits = limits;
  (void)unpack(file, folder, options);
  Offer offer{.legacy = true};
  std::set<std::string> names;
  for (const fs::path& path : files_below(folder)) {
    std::vector<Problem> problems;
    const auto plugin = parse_yaml_plugin(path, problems, limits);
    const std::string name = path.filename().string();
    if (!plugin) {
      offer.warnings.push_back("'" + name + "' is left out: " + first_mistake(problems));
    } else if (!is_plugin_name(plugin->name) || (!plugin->version.empty() && !is_plugin_version(plugin->version))) {
      offer.warnings.push_back("'" + name + "' is left out: its name or version cannot be used");
    } else if (!names.insert(plugin->name).second) {
      offer.warnings.push_back("'" + name + "' is left out: there is another '" + plugin->name + "'");
    } else {
      Offered one{.name = plugin->name, .version = plugin->version, .file = plugin->name + ".yaml"};
      one.content = files::read(path);
      one.size = one.content->size();
      one.sha256 = sha256_hex(*one.content);
      offer.plugins.push_back(std::move(one));
    }
  }
  if (offer.plugins.empty()) {
    throw Error(ErrorKind::platform,
                {.what = "cannot use the zip",
                 .why = "It has no YAML plugin." + (offer.warnings.empty() ? "" : " " + offer.warnings.front()),
                 .consequences = "Nothing was synced.",
                 .countermeasures = "Ask the administrator of the server."});
  }
  return offer;
}

}  // namespace vdk::plugin::detail

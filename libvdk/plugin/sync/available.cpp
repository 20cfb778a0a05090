// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "plugin/config/versions.hpp"
#include "plugin/sync/plugin_files.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/plugin/install.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {
namespace detail {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Files at the top of a plugin's folder that may be YAML plugins, in order of their names.
std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string suffix = it->path().extension().string();
    if ((suffix == ".yaml" || suffix == ".yml") && it->is_regular_file()) {
      files.push_back(it->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

void add_plugins(const InstalledPlugin& plugin, const fs::path& generation, const std::string& origin,
                 std::vector<Available>& all) {
  std::map<std::string, fs::path> found;
  for (const fs::path& file : yaml_files(generation / plugin.folder)) {
    std::vector<Problem> ignored;
    if (const auto parsed = parse_yaml_plugin(file, ignored)) {
      found.try_emplace(parsed->name, file);
    }
  }
  // The one plugin of a folder goes by the name that the configuration gave it.
  const auto own = found.size() == 1 ? found.begin() : found.find(plugin.name);
  Available one{.plugin = plugin, .folder = generation / plugin.folder, .yaml_file = {}, .origin = origin};
  if (own != found.end()) {
    one.yaml_file = own->second;
    found.erase(own);
  }
  all.push_back(one);
  for (const auto& [name, file] : found) {
    if (is_plugin_name(name)) {
      one.plugin.name = name;
      one.yaml_file = file;
      all.push_back(one);
    }
  }
}

}  // namespace

std::vector<Available> plugins_of(const Store& store, const std::string& origin) {
  std::vector<Available> all;
  const auto generation = store.current();
  const auto receipt = generation ? store.receipt(std::stoull(generation->filename().string())) : std::nullopt;
  if (!receipt) {
    return all;
  }
  for (const InstalledPlugin& plugin : receipt->plugins) {
    add_plugins(plugin, *generation, origin, all);
  }
  std::ranges::stable_sort(all, [](const Available& a, const Available& b) {
    return a.plugin.name != b.plugin.name ? a.plugin.name < b.plugin.name
                                          : compare_versions(a.plugin.version, b.plugin.version) > 0;
  });
  return all;
}

std::vector<std::string> server_order(const fs::path& plugin_dir) {
  std::vector<std::string> order;
  const fs::path folder = plugin_dir / k_synced;
  const json told = json::parse(files::read_if_exists(folder / k_order).value_or(""), nullptr, false);
  const auto take = [&](const std::string& name) {
    std::error_code error;
    if (is_plugin_name(name) && !std::ranges::count(order, name) && fs::is_directory(folder / name, error)) {
      order.push_back(name);
    }
  };
  for (const json& name : told.is_array() ? told : json::array()) {
    take(name.is_string() ? name.get<std::string>() : "");
  }
  std::set<std::string> others;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    others.insert(it->path().filename().string());
  }
  std::ranges::for_each(others, take);
  return order;
}

void put_first(const fs::path& plugin_dir, const std::vector<std::string>& names) {
  const std::vector<std::string> before = server_order(plugin_dir);
  std::vector<std::string> order;
  std::ranges::copy_if(names, std::back_inserter(order),
                       [&](const std::string& name) { return std::ranges::count(before, name) != 0; });
  std::ranges::copy_if(before, std::back_inserter(order),
                       [&](const std::string& name) { return !std::ranges::count(names, name); });
  if (order != before) {
    files::write_atomic(plugin_dir / k_synced / k_order, json(order).dump() + "\n");
  }
}

}  // namespace detail

std::vector<Available> available(const std::filesystem::path& plugin_dir) {
  std::vector<Available> all = detail::plugins_of(Store(plugin_dir), "install");
  for (const std::string& server : detail::server_order(plugin_dir)) {
    try {
      const Store store(plugin_dir / detail::k_synced / server);
      std::ranges::move(detail::plugins_of(store, "sync:" + server), std::back_inserter(all));
    } catch (const Error& error) {
      log::warning(std::string("The plugins of the server '") + server + "' are left out: " + error.what());
    }
  }
  std::map<std::string, std::string> winners;
  for (Available& one : all) {
    one.shadowed = winners.try_emplace(one.plugin.name, one.origin).first->second != one.origin;
  }
  return all;
}

}  // namespace vdk::plugin

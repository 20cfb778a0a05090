// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plugin/config/versions.hpp"
#include "plugin/install/failures.hpp"
#include "plugin/install/fetcher.hpp"
#include "plugin/install/plan.hpp"
#include "vdk/core/error.hpp"

namespace vdk::plugin {
namespace {

std::string installed_version(const std::optional<Receipt>& receipt, const std::string& name) {
  if (receipt) {
    for (const InstalledPlugin& plugin : receipt->plugins) {
      if (plugin.name == name) {
        return plugin.version;
      }
    }
  }
  return {};
}

}  // namespace

std::vector<Outdated> outdated(const Config& config) {
  const InstallOptions options;
  Counters counters;
  Fetcher fetcher(config, options, counters);
  Failures failures;
  const auto receipt = Store(config.plugin_dir).receipt();
  std::vector<Outdated> rows;
  for (const PluginEntry& entry : config.plugins) {
    Outdated row{.name = entry.name, .installed = installed_version(receipt, entry.name), .wanted = {}, .newest = {}};
    try {
      if (entry.path.find("{version}") != std::string::npos) {
        const std::vector<std::string> all = fetcher.versions(entry);
        row.newest = newest(all, "").value_or("");
        row.wanted = is_constraint(entry.version) ? newest(all, entry.version).value_or("") : entry.version;
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unsupported) {
        failures.add(entry.name, error);
      }
    }
    rows.push_back(std::move(row));
  }
  failures.raise();
  return rows;
}

std::vector<LockedEntry> locked_plugins(const Config& config) {
  std::vector<LockedEntry> out;
  const auto lock = read_lock(config.lock);
  if (!lock) {
    return out;
  }
  for (const auto& [name, plugin] : lock->plugins) {
    LockedEntry entry{.name = name,
                      .version = plugin.version,
                      .provider = plugin.provider,
                      .provider_kind = plugin.provider_kind,
                      .signer = plugin.signer,
                      .files = {}};
    for (const auto& [platform, file] : plugin.platforms) {
      entry.files.push_back({.platform = platform,
                             .path = file.path,
                             .resolved = file.resolved,
                             .pin = file.pin,
                             .size = file.size,
                             .sha256 = file.sha256,
                             .tree_sha256 = file.tree_sha256});
    }
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace vdk::plugin

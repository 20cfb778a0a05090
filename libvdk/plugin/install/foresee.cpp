// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plugin/config/versions.hpp"
#include "plugin/install/failures.hpp"
#include "plugin/install/plan.hpp"
#include "plugin/install/steps.hpp"
#include "vdk/core/error.hpp"

namespace vdk::plugin {
namespace {

/// Plugins whose files were touched, or may have been, count as changed.
void mark_drifted(const Store& store, std::vector<InstalledPlugin>& plugins) {
  try {
    for (const Store::Drift& drift : store.verify()) {
      for (InstalledPlugin& plugin : plugins) {
        plugin.tree_sha256 = plugin.name == drift.plugin ? drift.what : plugin.tree_sha256;
      }
    }
  } catch (const Error& error) {
    for (InstalledPlugin& plugin : plugins) {
      plugin.tree_sha256 = error.what();
    }
  }
}

}  // namespace

InstallResult foresee(const Config& config, const InstallOptions& options, const Store& store, const Before& before) {
  Counters counters;
  Fetcher fetcher(config, options, counters);
  Failures failures;
  std::vector<InstalledPlugin> after;
  std::vector<InstalledPlugin> now = before.receipt ? before.receipt->plugins : std::vector<InstalledPlugin>{};
  for (const PluginEntry& entry : config.plugins) {
    try {
      const LockedPlugin* bound = locked_of(before.lock, config, entry);
      LockedPlugin plugin = bound == nullptr ? LockedPlugin{} : *bound;
      plugin.version = choose_version(entry, bound, options, fetcher);
      const auto own = own_platform(entry);
      LockedArtifact artifact;
      if (bound != nullptr && bound->version == plugin.version && own && bound->platforms.contains(*own) &&
          bound->unpack == unpack_digest(entry, config.policy)) {
        artifact = bound->platforms.at(*own);
      }
      after.push_back(installed(entry.name, plugin, artifact));
    } catch (const Error& error) {
      failures.add(entry.name, error);
    }
  }
  failures.raise();
  mark_drifted(store, now);
  std::sort(after.begin(), after.end(),
            [](const InstalledPlugin& left, const InstalledPlugin& right) { return left.name < right.name; });
  InstallResult result;
  result.warnings = before.warnings;
  result.network_requests = counters.requests;
  result.generation = before.receipt ? before.receipt->generation : 0;
  result.changes = differences(now, after);
  const bool unversioned = std::any_of(config.plugins.begin(), config.plugins.end(), [&](const PluginEntry& entry) {
    return may_upgrade(options, entry.name) && !is_constraint(entry.version);
  });
  if (unversioned) {
    result.warnings.emplace_back("plugins without a range of versions are fetched and compared by a real upgrade only");
  }
  if (!options.prune) {
    std::erase_if(result.changes, [](const Change& change) { return change.kind == Change::Kind::removed; });
  }
  return result;
}

}  // namespace vdk::plugin

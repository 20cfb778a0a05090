// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugin/install/fetcher.hpp"
#include "plugin/install/lock.hpp"
#include "vdk/plugin/install.hpp"
#include "vdk/plugin/store.hpp"

/// The steps of an install.
namespace vdk::plugin {

/// What was there before.
struct Before {
  std::optional<std::string> lock_text;
  std::optional<Lock> lock;
  std::optional<Receipt> receipt;
  std::optional<std::filesystem::path> current;
  std::vector<std::string> warnings;
};

/// True when an upgrade was asked for that includes this plugin.
[[nodiscard]] bool may_upgrade(const InstallOptions& options, const std::string& name);
/// Version of an entry: exact, the locked one when it still fits, else the newest that the provider has.
[[nodiscard]] std::string choose_version(const PluginEntry& entry, const LockedPlugin* known,
                                         const InstallOptions& options, Fetcher& fetcher);

/// A plugin that lies checked and unpacked in the staging folder.
struct Staged {
  LockedPlugin locked;
  InstalledPlugin installed;
  std::vector<std::string> warnings;
};

/// Fetch, check and unpack everything, several plugins at once. Throws what failed, all of it.
[[nodiscard]] std::map<std::string, Staged> stage_all(const Config& config, const InstallOptions& options,
                                                      const Before& before, const std::filesystem::path& staging,
                                                      Counters& counters);
/// What an install would do, as far as that is known without fetching plugins.
[[nodiscard]] InstallResult foresee(const Config& config, const InstallOptions& options, const Store& store,
                                    const Before& before);

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugin/install/lock.hpp"
#include "vdk/plugin/install.hpp"
#include "vdk/plugin/store.hpp"

/// What an install has to do, told without asking anybody.
namespace vdk::plugin {

/// "linux/amd64" of this machine, in the words that plugin files use.
[[nodiscard]] std::string this_platform();
/// Key of an artifact that is the same everywhere.
inline constexpr const char* k_any_platform = "any";

[[nodiscard]] std::string source_digest(const ProviderConfig& provider, const PluginEntry& entry);
[[nodiscard]] std::string unpack_digest(const PluginEntry& entry, const Policy& policy);
[[nodiscard]] std::string fill_placeholders(std::string path, const std::string& version, const std::string& platform);
[[nodiscard]] const ProviderConfig& provider_of(const Config& config, const PluginEntry& entry);

/// Platforms that an entry has in the lock file: "any", or the listed ones, or this one.
[[nodiscard]] std::vector<std::string> platforms_of(const PluginEntry& entry);
/// Which of them is installed here; nothing when the entry has none for this machine.
[[nodiscard]] std::optional<std::string> own_platform(const PluginEntry& entry);

/// The entry's part of the lock file, when it is about the same source.
[[nodiscard]] const LockedPlugin* locked_of(const std::optional<Lock>& lock, const Config& config,
                                            const PluginEntry& entry);
/// SHA-256 that the configuration demands; empty when it demands none.
[[nodiscard]] std::string wanted_sha256(const PluginEntry& entry, const std::string& platform);

/// True when the lock file says everything about the configuration.
[[nodiscard]] bool is_complete(const std::optional<Lock>& lock, const Config& config);
/// True when the receipt is what the lock file says; `others` allows plugins that left the configuration.
[[nodiscard]] bool is_installed(const std::optional<Receipt>& receipt, const Lock& lock, const Config& config,
                                bool others);

/// What differs between two lists of plugins; both sorted by name.
[[nodiscard]] std::vector<Change> differences(const std::vector<InstalledPlugin>& before,
                                              const std::vector<InstalledPlugin>& after);

/// The receipt's entry of a locked plugin.
[[nodiscard]] InstalledPlugin installed(const std::string& name, const LockedPlugin& plugin,
                                        const LockedArtifact& artifact);

}  // namespace vdk::plugin

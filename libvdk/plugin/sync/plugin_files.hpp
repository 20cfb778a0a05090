// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vdk/plugin/store.hpp"
#include "vdk/plugin/sync.hpp"

namespace vdk::plugin::detail {

inline constexpr const char* k_synced = "synced";     ///< folder of the servers below the plugin folder
inline constexpr const char* k_order = "order.json";  ///< in it: names of the servers, the first one wins

/// The plugins of a store's current generation, newest version first; an installed folder with several YAML plugins at
/// its top is followed by each of them under its own name.
[[nodiscard]] std::vector<Available> plugins_of(const Store& store, const std::string& origin);
/// Names of the servers that something was synced from, by precedence.
[[nodiscard]] std::vector<std::string> server_order(const std::filesystem::path& plugin_dir);
/// These servers come first, in this order; the others keep theirs.
void put_first(const std::filesystem::path& plugin_dir, const std::vector<std::string>& names);

}  // namespace vdk::plugin::detail

// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>

#include <algorithm>

#include "vdk/job/archive.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {

bool is_verbatim(const std::vector<std::string>& patterns, const std::string& asset) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& one) { return fnmatch(one.c_str(), asset.c_str(), 0) == 0; });
}

bool is_asset_name(const std::string& name) noexcept {
  return job::is_safe_entry_name(name) && name.front() != '.' && !name.ends_with('/');
}

}  // namespace vdk::plugin

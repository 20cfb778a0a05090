// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/config/yaml_document.hpp"
#include "vdk/plugin/config.hpp"

/// The parts of load_config(). Each reads one section and reports what is wrong with it.
namespace vdk::plugin::config {

void read_provider(yaml::Document& document, const YAML::Node& node, std::vector<ProviderConfig>& providers);
void read_plugin(yaml::Document& document, const YAML::Node& node, Config& config);
void read_policy(yaml::Document& document, const YAML::Node& node, Policy& policy);
/// One go-getter text of Optimus's flat list, with the provider that it needs.
void read_artifact(yaml::Document& document, const YAML::Node& node, Config& config);

/// "x-1.2_linux_amd64.tar.gz" gives "x"; what is left may still be no plugin name.
[[nodiscard]] std::string name_from_path(std::string_view path);
/// Report a name that is no plugin name or is taken already.
void check_plugin_name(yaml::Document& document, const SourceLocation& where, const std::string& name,
                       const Config& config, const std::string& hint);

/// scheme, host (lower case, no port) and whether a user name or password stands in it.
struct UrlParts {
  std::string scheme;
  std::string host;
  bool user_info = false;
};
[[nodiscard]] UrlParts split_url(std::string_view url);

/// SHA-256 of what the configuration means, without its secrets.
[[nodiscard]] std::string digest(const Config& config);

}  // namespace vdk::plugin::config

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "plugin/config/reader.hpp"
#include "plugin/config/versions.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/install.hpp"

namespace vdk::plugin {
namespace config {
namespace {

using yaml::Document;
using yaml::Section;

// Keys of the files that Optimus keeps its plugin list in; they say nothing to a plugin manager.
const std::vector<std::string> k_foreign = {"version",   "log",       "project",   "namespaces",       "namespace",
                                            "serve",     "scheduler", "telemetry", "resource_manager", "auth",
                                            "publisher", "replay",    "dashboard", "datastore",        "monitoring"};
constexpr std::uint64_t k_largest_file = 1ULL << 20U;

void read_server(Document& document, const YAML::Node& node, Config& config) {
  Section section(document, node, "a server", {"name", "url"});
  ServerEntry server{.name = section.required("name", "production"),
                     .url = section.required("url", "https://vdk.example.com"),
                     .where = section.where()};
  if (!server.name.empty() && !is_plugin_name(server.name)) {
    section.error("name", "'" + server.name + "' is no name of a server: small letters, digits, '-' and '_'");
  }
  const UrlParts url = split_url(server.url);
  if (!server.url.empty() && ((url.scheme != "https" && url.scheme != "http") || url.host.empty())) {
    section.error("url", "'" + redact_url(server.url) + "' is no address of a control service",
                  "it begins with https://");
  }
  if (url.user_info) {
    section.error("url", "a user name or password stands in the address", "log in with `vdk login` instead");
  }
  const bool taken = std::any_of(config.servers.begin(), config.servers.end(),
                                 [&](const ServerEntry& one) { return one.name == server.name; });
  if (taken) {
    section.error("name", "there is a server '" + server.name + "' already", "give each its own name");
  }
  config.servers.push_back(std::move(server));
}

std::filesystem::path resolved(const std::filesystem::path& base, const std::string& path) {
  std::filesystem::path out = (base / path).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

void read_section(Document& document, const YAML::Node& node, const std::string& name, Config& config) {
  if (node.IsSequence()) {
    document.error(document.where(node.Mark()), "'" + name + "' holds the lists 'providers' and 'plugins'",
                   "indent the list below a second key 'plugins'");
    return;
  }
  Section section(document, node, "'" + name + "'",
                  {"plugin_dir", "lock_file", "providers", "plugins", "servers", "policy"});
  const std::filesystem::path base = document.file().parent_path();
  if (const std::string folder = section.text("plugin_dir"); !folder.empty()) {
    config.plugin_dir = resolved(base, folder);
  }
  if (const std::string lock = section.text("lock_file"); !lock.empty()) {
    config.lock = resolved(base, lock);
    if (config.lock == document.file().lexically_normal()) {
      document.error(document.where(section.find("lock_file")->value.Mark()), "'lock_file' names this file itself",
                     "vdk writes the lock file: give it a name of its own, such as vdk-plugins.lock");
    }
  }
  if (const auto* policy = section.find("policy"); policy != nullptr) {
    read_policy(document, policy->value, config.policy);
  }
  for (const YAML::Node& provider : section.items("providers")) {
    read_provider(document, provider, config.providers);
  }
  for (const YAML::Node& plugin : section.items("plugins")) {
    read_plugin(document, plugin, config);
  }
  for (const YAML::Node& server : section.items("servers")) {
    read_server(document, server, config);
  }
}

void read_flat(Document& document, const YAML::Node& node, Config& config) {
  Section section(document, node, "'plugin'", {"artifacts", "dir"});
  if (const std::string folder = section.text("dir"); !folder.empty()) {
    config.plugin_dir = resolved(document.file().parent_path(), folder);
  }
  for (const YAML::Node& artifact : section.items("artifacts")) {
    read_artifact(document, artifact, config);
  }
}

/// Optimus's client has one server, named by a key of its own.
void read_host(Section& root, Config& config) {
  std::string url = root.text("host");
  if (url.empty() || !config.servers.empty()) {
    return;
  }
  if (url.find("://") == std::string::npos) {
    url = "http://" + url;
  }
  config.servers.push_back({.name = "host", .url = std::move(url), .where = root.where("host")});
}

void read_root(Document& document, Config& config) {
  std::vector<std::string> known = {"plugins", "plugin_manager", "plugin", "host"};
  known.insert(known.end(), k_foreign.begin(), k_foreign.end());
  Section root(document, document.root(), "the file", known);
  bool any = false;
  for (const std::string name : {"plugins", "plugin_manager"}) {
    if (!root.has(name)) {
      continue;
    }
    if (any) {
      root.error(name, "'plugins' and 'plugin_manager' are two names of one section", "keep one of the two");
    } else if (const auto* entry = root.find(name); entry != nullptr) {
      read_section(document, entry->value, name, config);
    }
    any = true;
  }
  if (const auto* flat = root.find("plugin"); flat != nullptr) {
    read_flat(document, flat->value, config);
    any = true;
  }
  read_host(root, config);
  if (!any && !root.has("host")) {
    document.error(root.where(), "there is no section 'plugins'", "docs/plugins.md has an example");
  }
}

nlohmann::json meaning(const ProviderConfig& provider) {
  return {{"kind", std::string(to_string(provider.kind))},
          {"url", redact_url(provider.url)},
          {"bucket", provider.bucket},
          {"prefix", provider.prefix},
          {"path", provider.path},
          {"endpoint", provider.endpoint},
          {"region", provider.region},
          {"ref", provider.ref},
          {"trusted_keys", provider.trusted_keys}};
}

nlohmann::json meaning(const PluginEntry& entry) {
  return {{"provider", entry.provider},
          {"path", redact_url(entry.path)},
          {"version", entry.version},
          {"sha256", entry.sha256},
          {"signature", entry.signature},
          {"pin", entry.pin},
          {"archive", static_cast<int>(entry.archive)},
          {"strip_components", entry.strip_components},
          {"include", entry.include},
          {"platforms", entry.platforms}};
}

}  // namespace

std::string digest(const Config& config) {
  nlohmann::json all = {{"providers", nlohmann::json::object()}, {"plugins", nlohmann::json::object()}};
  for (const ProviderConfig& provider : config.providers) {
    all["providers"][provider.name] = meaning(provider);
  }
  for (const PluginEntry& entry : config.plugins) {
    all["plugins"][entry.name] = meaning(entry);
  }
  const Policy& policy = config.policy;
  all["policy"] = {policy.require_checksum, policy.require_signature, policy.allow_symlinks};
  return sha256_hex(all.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

}  // namespace config

namespace {

/// What the file says as far as it can be understood, with everything that is wrong in order.
Config read_config(const std::filesystem::path& file, std::vector<Problem>& problems) {
  Config config;
  config.file = std::filesystem::absolute(file).lexically_normal();
  const std::filesystem::path base = config.file.parent_path();
  config.plugin_dir = base / ".plugins";
  config.lock = base / "vdk-plugins.lock";
  yaml::Document document(config.file, problems, config::k_largest_file);
  if (document.usable()) {
    config::read_root(document, config);
  }
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& left, const Problem& right) {
    return std::tie(left.location.line, left.location.column) < std::tie(right.location.line, right.location.column);
  });
  return config;
}

}  // namespace

Config load_config(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  Config config = read_config(file, problems);
  if (const auto error = to_error(config.file.string(), problems)) {
    throw *error;
  }
  config.warnings = std::move(problems);
  config.digest = config::digest(config);
  return config;
}

std::vector<Problem> check_config(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  (void)read_config(file, problems);
  return problems;
}

std::filesystem::path lock_file(const Config& config) { return config.lock; }

}  // namespace vdk::plugin

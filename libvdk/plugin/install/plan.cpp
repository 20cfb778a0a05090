// SPDX-License-Identifier: Apache-2.0
#include "plugin/install/plan.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "plugin/config/versions.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

std::string digest_of(const nlohmann::json& value) {
  return sha256_hex(value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

bool has_platform(const std::string& path) {
  return path.find("{os}") != std::string::npos || path.find("{arch}") != std::string::npos;
}

bool fits_version(const PluginEntry& entry, const std::string& version) {
  return is_constraint(entry.version) ? !version.empty() && satisfies(version, entry.version)
                                      : version == entry.version;
}

auto identity(const InstalledPlugin& one) { return std::tie(one.version, one.archive_sha256, one.tree_sha256); }

}  // namespace

std::string this_platform() {
  static const std::map<std::string, std::string> names = {
      {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"},   {"i686", "386"},
      {"armv6l", "arm"},   {"armv7l", "arm"},    {"armv8l", "arm"}, {"loongarch64", "loong64"}};
  static const std::string platform = [] {
    utsname system{};
    (void)::uname(&system);
    const auto known = names.find(system.machine);
    return text::lower(system.sysname) + "/" + (known == names.end() ? std::string(system.machine) : known->second);
  }();
  return platform;
}

std::string source_digest(const ProviderConfig& provider, const PluginEntry& entry) {
  return digest_of({std::string(to_string(provider.kind)), redact_url(provider.url), provider.bucket, provider.prefix,
                    provider.path, provider.endpoint, provider.ref, redact_url(entry.path), entry.version, entry.pin});
}

std::string unpack_digest(const PluginEntry& entry, const Policy& policy) {
  return digest_of({static_cast<int>(entry.archive), entry.strip_components, entry.include, policy.allow_symlinks});
}

std::string fill_placeholders(std::string path, const std::string& version, const std::string& platform) {
  const auto slash = platform.find('/');
  path = text::replace_all(std::move(path), "{version}", version);
  path = text::replace_all(std::move(path), "{os}", platform.substr(0, slash));
  return text::replace_all(std::move(path), "{arch}", slash == std::string::npos ? "" : platform.substr(slash + 1));
}

const ProviderConfig& provider_of(const Config& config, const PluginEntry& entry) {
  // load_config() has seen to it that it is there.
  return *std::find_if(config.providers.begin(), config.providers.end(),
                       [&](const ProviderConfig& one) { return one.name == entry.provider; });
}

std::vector<std::string> platforms_of(const PluginEntry& entry) {
  if (!entry.platforms.empty()) {
    return entry.platforms;
  }
  return {has_platform(entry.path) ? this_platform() : k_any_platform};
}

std::optional<std::string> own_platform(const PluginEntry& entry) {
  const std::vector<std::string> all = platforms_of(entry);
  for (const std::string& one : {this_platform(), std::string(k_any_platform)}) {
    if (std::find(all.begin(), all.end(), one) != all.end()) {
      return one;
    }
  }
  return std::nullopt;
}

const LockedPlugin* locked_of(const std::optional<Lock>& lock, const Config& config, const PluginEntry& entry) {
  if (!lock) {
    return nullptr;
  }
  const auto found = lock->plugins.find(entry.name);
  const bool same =
      found != lock->plugins.end() && found->second.source == source_digest(provider_of(config, entry), entry);
  return same ? &found->second : nullptr;
}

std::string wanted_sha256(const PluginEntry& entry, const std::string& platform) {
  for (const std::string& key : {platform, std::string()}) {
    if (const auto found = entry.sha256.find(key); found != entry.sha256.end()) {
      return found->second;
    }
  }
  return {};
}

bool is_complete(const std::optional<Lock>& lock, const Config& config) {
  if (!lock || lock->config_digest != config.digest || lock->plugins.size() != config.plugins.size()) {
    return false;
  }
  return std::all_of(config.plugins.begin(), config.plugins.end(), [&](const PluginEntry& entry) {
    const LockedPlugin* locked = locked_of(lock, config, entry);
    if (locked == nullptr || !fits_version(entry, locked->version) ||
        locked->unpack != unpack_digest(entry, config.policy)) {
      return false;
    }
    const std::vector<std::string> platforms = platforms_of(entry);
    return std::all_of(platforms.begin(), platforms.end(),
                       [&](const std::string& one) { return locked->platforms.contains(one); });
  });
}

bool is_installed(const std::optional<Receipt>& receipt, const Lock& lock, const Config& config, bool others) {
  if (!receipt || receipt->config_digest != config.digest ||
      (!others && receipt->plugins.size() != config.plugins.size())) {
    return false;
  }
  std::map<std::string, const InstalledPlugin*> by_name;
  for (const InstalledPlugin& one : receipt->plugins) {
    by_name[one.name] = &one;
  }
  return std::all_of(config.plugins.begin(), config.plugins.end(), [&](const PluginEntry& entry) {
    const auto platform = own_platform(entry);
    const auto there = by_name.find(entry.name);
    if (!platform || there == by_name.end()) {
      return false;
    }
    const LockedPlugin& locked = lock.plugins.at(entry.name);
    return identity(*there->second) == identity(installed(entry.name, locked, locked.platforms.at(*platform)));
  });
}

std::vector<Change> differences(const std::vector<InstalledPlugin>& before, const std::vector<InstalledPlugin>& after) {
  std::vector<Change> changes;
  auto left = before.begin();
  auto right = after.begin();
  while (left != before.end() || right != after.end()) {
    if (right == after.end() || (left != before.end() && left->name < right->name)) {
      changes.push_back({Change::Kind::removed, left->name, left->version, ""});
      ++left;
    } else if (left == before.end() || right->name < left->name) {
      changes.push_back({Change::Kind::added, right->name, "", right->version});
      ++right;
    } else {
      if (identity(*left) != identity(*right)) {
        changes.push_back({Change::Kind::changed, right->name, left->version, right->version});
      }
      ++left;
      ++right;
    }
  }
  return changes;
}

InstalledPlugin installed(const std::string& name, const LockedPlugin& plugin, const LockedArtifact& artifact) {
  return {.name = name,
          .version = plugin.version,
          .provider = plugin.provider,
          .provider_kind = plugin.provider_kind,
          .resolved = artifact.resolved,
          .pin = artifact.pin,
          .archive_sha256 = artifact.sha256,
          .tree_sha256 = artifact.tree_sha256,
          .signer = plugin.signer,
          .folder = plugin.version.empty() ? name : name + "/" + plugin.version};
}

}  // namespace vdk::plugin

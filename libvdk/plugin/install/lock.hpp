// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

/// The lock file: what exactly was installed, for every platform, so that the next machine gets the same bytes.
namespace vdk::plugin {

/// One file of a plugin; the same for every platform ("any"), or for one ("linux/amd64").
struct LockedArtifact {
  std::string path;      ///< below the provider, placeholders filled in
  std::string resolved;  ///< address for people, without secrets
  std::string pin;       ///< see Fetched::pin
  std::uint64_t size = 0;
  std::string sha256;
  std::string tree_sha256;
  std::string signature;  ///< text of the minisign file, so that it is checked again without asking anybody
};

struct LockedPlugin {
  std::string version;
  std::string provider;
  std::string provider_kind;
  std::string source;  ///< digest of where the entry comes from; another one means another plugin
  std::string unpack;  ///< digest of how it is unpacked; the tree's hash holds for this only
  std::string signer;
  std::map<std::string, LockedArtifact> platforms;
};

struct Lock {
  std::string config_digest;
  std::map<std::string, LockedPlugin> plugins;
};

/// Stable text: the same lock always gives the same bytes.
[[nodiscard]] std::string to_text(const Lock& lock);
/// Throws Error(configuration) with the place for everything that this or a newer vdk would not have written.
[[nodiscard]] Lock parse_lock(const std::filesystem::path& file, const std::string& text);
[[nodiscard]] std::optional<Lock> read_lock(const std::filesystem::path& file);

}  // namespace vdk::plugin

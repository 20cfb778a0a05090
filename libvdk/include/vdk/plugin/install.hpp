// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "vdk/plugin/config.hpp"
#include "vdk/plugin/store.hpp"

namespace vdk::plugin {

/// Version order of semver 2.0 (numbers numerically, pre-releases before their release); other texts compare as text.
[[nodiscard]] int compare_versions(std::string_view left, std::string_view right) noexcept;
/// True when `version` fits `constraint`: "1.2.3" exact, "^1.2", "~1.2", ">=1, <2", "1.x", "*". Pre-releases only when
/// the constraint names one.
[[nodiscard]] bool satisfies(std::string_view version, std::string_view constraint);

struct InstallOptions {
  bool locked = false;                    ///< the lock file must say everything and stays as it is
  bool offline = false;                   ///< only from the cache
  bool dry_run = false;                   ///< say what would change
  bool check = false;                     ///< like dry_run; changes are Error(pending)
  bool upgrade = false;                   ///< constraints are resolved anew; what moved is locked anew
  std::vector<std::string> upgrade_only;  ///< with upgrade: only these; empty = all
  bool prune = true;                      ///< what left the configuration leaves the disk
  bool accept_new_signer = false;
  int parallel = 8;
  std::chrono::milliseconds lock_wait{60'000};
  const std::atomic<bool>* cancelled = nullptr;
  /// Told as work goes on; any thread. `total` 0 = unknown.
  std::function<void(const std::string& plugin, std::uint64_t received, std::uint64_t total)> progress = nullptr;
};

struct Change {
  enum class Kind { added, changed, removed };
  Kind kind = Kind::added;
  std::string name;
  std::string from_version;
  std::string to_version;
};

/// "add bq2bq 1.2", "change bq2bq 1.2 -> 1.3", "remove bq2bq 1.3"
[[nodiscard]] std::string describe(const Change& change);

struct InstallResult {
  std::vector<Change> changes;
  std::uint64_t generation = 0;  ///< the current one afterwards
  std::uint64_t downloads = 0;   ///< files that came over a provider
  std::uint64_t network_requests = 0;
  std::vector<std::string> warnings;
};

/// Make the plugin folder what the configuration says. All or nothing: on any Error the current generation, the lock
/// file and the receipt are what they were. Several failures are reported together.
[[nodiscard]] InstallResult install(const Config& config, const InstallOptions& options);

/// Path of the lock file of a configuration: `vdk-plugins.lock` beside it.
[[nodiscard]] std::filesystem::path lock_file(const Config& config);

/// A plugin as the lock file has it.
struct LockedEntry {
  struct File {
    std::string platform;  ///< "any" or "linux/amd64"
    std::string path;
    std::string resolved;  ///< redacted
    std::string pin;
    std::uint64_t size = 0;
    std::string sha256;
    std::string tree_sha256;
  };
  std::string name;
  std::string version;
  std::string provider;
  std::string provider_kind;
  std::string signer;
  std::vector<File> files;
};
/// Empty without a lock file. Throws Error(configuration) when it is damaged.
[[nodiscard]] std::vector<LockedEntry> locked_plugins(const Config& config);

/// What vendor() wrote.
struct Vendored {
  std::filesystem::path config;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
/// Copy everything that the lock file names into `directory` (empty or missing) together with a configuration that
/// installs from there, without any network. Whole or not at all.
[[nodiscard]] Vendored vendor(const Config& config, const std::filesystem::path& directory,
                              const InstallOptions& options);

/// For every plugin: the installed, the newest fitting and the newest version of all. Asks the providers.
struct Outdated {
  std::string name;
  std::string installed;
  std::string wanted;  ///< empty when the provider cannot list versions
  std::string newest;
};
[[nodiscard]] std::vector<Outdated> outdated(const Config& config);

}  // namespace vdk::plugin

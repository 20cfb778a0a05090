// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

/// Told while bytes come in; `total` is 0 when nobody knows. Called from the thread that fetches.
using Progress = std::function<void(std::uint64_t received, std::uint64_t total)>;

/// One file wanted from a provider.
struct FetchRequest {
  std::string path;  ///< below the provider, placeholders already filled in
  std::string pin;   ///< immutable pin of the lock file to fetch exactly that ("" = whatever is there now)
  std::filesystem::path destination;  ///< a file to write (created, replaced); left out when anything fails
  std::uint64_t max_bytes = 0;        ///< 0 = the default of Limits
  Progress progress = nullptr;
  const std::atomic<bool>* cancelled = nullptr;
};

/// What came.
struct Fetched {
  std::string sha256;  ///< of the bytes in `destination`
  std::uint64_t size = 0;
  std::string pin;       ///< ETag, GCS generation, S3 version id, git commit; "" when the source has none
  std::string resolved;  ///< address for people and the lock file, redacted
};

/// One source of plugins. An object is for one thread.
class Provider {
 public:
  virtual ~Provider() = default;
  /// Fetch one file. A git provider gives a folder at its commit as an uncompressed tar with fixed times, and a file as
  /// it is; `PATH@REF` takes another reference than the provider's, `.` is the whole repository. The pin of an HTTP
  /// source, an ETag, cannot be asked for and is not looked at: the caller compares hashes.
  /// Errors: not_found, login (refused by the source), unreachable, too_large, platform (bytes that cannot be right:
  /// truncated, HTML instead of a file), interrupted. Nothing is left in `destination` then.
  [[nodiscard]] virtual Fetched fetch(const FetchRequest& request) = 0;
  /// Versions that exist for a path with {version} in it, unsorted: listed by s3, gcs, file and git (among the tags
  /// when {version} stands in REF of `PATH@REF`); http asks for `versions.json` (an array of strings) beside the part
  /// before {version}. Error(unsupported) when the source cannot list.
  [[nodiscard]] virtual std::vector<std::string> versions(const std::string& path) = 0;
};

/// Secrets are resolved when first needed. Throws Error(configuration). `scratch` is a folder for intermediate files. A
/// relative path of a file provider counts from the folder of `config.where.file`.
[[nodiscard]] std::unique_ptr<Provider> make_provider(const ProviderConfig& config,
                                                      const std::filesystem::path& scratch);

/// Check a detached minisign signature (Ed, and prehashed ED) of a file against trusted public keys. Returns the key id
/// that signed. Throws Error(platform) naming what is wrong; unknown keys are wrong.
std::string verify_minisign(const std::filesystem::path& file, std::string_view signature,
                            const std::vector<std::string>& trusted_keys);

/// Files by their SHA-256, shared by all plugin folders of a person (`XDG_CACHE_HOME/vdk/plugins/sha256/HEX`).
class Cache {
 public:
  explicit Cache(std::filesystem::path directory = default_directory());
  [[nodiscard]] static std::filesystem::path default_directory();
  /// Path of the cached file after its bytes were hashed again; empty when it is not there or spoilt (then removed).
  [[nodiscard]] std::filesystem::path find(std::string_view sha256);
  /// Take over a complete file (moved or copied), atomically; returns its place.
  std::filesystem::path put(const std::filesystem::path& file, std::string_view sha256);
  /// A private folder inside the cache's file system for files on their way in.
  [[nodiscard]] std::filesystem::path scratch() const;
  struct Pruned {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };
  /// Remove all but `keep` (hashes), and stale scratch files.
  Pruned prune(const std::vector<std::string>& keep, bool dry_run);

 private:
  std::filesystem::path m_directory;
};

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/files.hpp"

namespace vdk::plugin {

/// A plugin as it lies in a generation.
struct InstalledPlugin {
  std::string name;
  std::string version;        ///< "" = unversioned
  std::string provider;       ///< name of the provider, or the server it was synced from
  std::string provider_kind;  ///< http, gcs, s3, file, git, server
  std::string resolved;       ///< address, redacted
  std::string pin;
  std::string archive_sha256;
  std::string tree_sha256;
  std::string signer;  ///< key id; "" = unsigned
  std::string folder;  ///< below the generation: NAME/VERSION, NAME when unversioned
};

/// What a generation's receipt.json says.
struct Receipt {
  std::uint64_t generation = 0;
  std::string source;         ///< "install" or "sync:SERVER"
  std::string config_digest;  ///< of the configuration that made it
  std::string config_file;    ///< where that lay; empty when there was none
  std::string created;        ///< ISO 8601, UTC
  std::string vdk_version;
  std::vector<InstalledPlugin> plugins;  ///< sorted by name, then version
};

/// A folder of generations: `ROOT/current -> generations/N`, each with its receipt. Readers resolve `current` once and
/// never lock; one writer at a time holds `ROOT/.lock`. Install keeps one at `plugin_dir`, sync one per server at
/// `plugin_dir/synced/SERVER`.
class Store {
 public:
  explicit Store(std::filesystem::path root);
  [[nodiscard]] const std::filesystem::path& root() const noexcept { return m_root; }
  /// Folder of the current generation, resolved; nothing before the first.
  [[nodiscard]] std::optional<std::filesystem::path> current() const;
  /// Receipt of the current generation, or of generation `n`. Throws Error(platform) when it is damaged.
  [[nodiscard]] std::optional<Receipt> receipt() const;
  [[nodiscard]] std::optional<Receipt> receipt(std::uint64_t n) const;
  [[nodiscard]] std::vector<std::uint64_t> generations() const;  ///< ascending

  /// The right to write. Waits up to `wait` for another writer; then Error(conflict) that names its process id.
  class Writer {
   public:
    /// A new folder below ROOT/.staging to build a generation in; leftovers of dead writers are removed first.
    [[nodiscard]] const std::filesystem::path& staging() const noexcept { return m_staging; }
    /// Make the staged folder the next generation: receipt written, everything flushed, renamed to generations/N, one
    /// atomic switch of `current`, older ones than the last three removed. Returns N.
    std::uint64_t activate(Receipt receipt);
    /// Point `current` to generation `n` again. Throws Error(not_found).
    void roll_back_to(std::uint64_t n);
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) = delete;
    ~Writer();

   private:
    friend class Store;
    Writer(Store& store, files::FileLock lock);
    Store* m_store;
    files::FileLock m_lock;
    std::filesystem::path m_staging;
  };
  [[nodiscard]] Writer write(std::chrono::milliseconds wait);

  /// How installed files differ from the receipt: changed, missing, extra. Empty = as installed.
  struct Drift {
    std::string plugin;
    std::string what;  ///< for people: "changed: optimus/x.yaml"
  };
  [[nodiscard]] std::vector<Drift> verify() const;

 private:
  std::filesystem::path m_root;
};

}  // namespace vdk::plugin

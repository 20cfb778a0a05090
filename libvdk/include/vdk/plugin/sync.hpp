// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"
#include "vdk/plugin/config.hpp"
#include "vdk/plugin/install.hpp"
#include "vdk/plugin/store.hpp"

namespace vdk::plugin {

/// What a control service publishes: the YAML plugins of the current generation of one plugin folder. A new generation
/// is served from the next request on. Thread-safe.
class Publication {
 public:
  explicit Publication(std::filesystem::path plugin_dir);
  ~Publication();
  struct Document {
    std::string body;
    std::string content_type;
    std::string etag;  ///< quoted
  };
  /// `GET /plugins/v1/index`: {"generation","entries":[{"name","version","file","size","sha256"}],"archive":{...}}.
  [[nodiscard]] std::optional<Document> index();
  /// `GET /plugins/v1/blob/sha256/HEX`: only files that the index names.
  [[nodiscard]] std::optional<Document> blob(std::string_view sha256);
  /// `GET /plugins`: the legacy zip, flat, sorted, fixed times.
  [[nodiscard]] std::optional<Document> archive();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

struct SyncOptions {
  std::function<std::optional<std::string>(const std::string& url)> token = nullptr;  ///< bearer token for a server
  http::ClientOptions http;
  bool dry_run = false;
  bool check = false;  ///< like dry_run; it is for the caller to make an Error(pending) of changes
  std::chrono::milliseconds lock_wait{60'000};
  Limits limits;
};

struct SyncResult {
  std::string server;
  bool changed = false;
  bool legacy = false;  ///< the server has the zip only
  std::vector<Change> changes;
  std::uint64_t downloads = 0;
  std::uint64_t network_requests = 0;
  std::vector<std::string> warnings;
  std::optional<Error> failure;  ///< this server's plugins are what they were
};

/// Fetch the YAML plugins of each server into `plugin_dir/synced/NAME`, verified before anything is switched; a server
/// that fails leaves its old plugins as they are and does not stop the others. The order of the servers becomes their
/// precedence. With `dry_run` or `check` nothing is written. Throws Error(configuration) for names and addresses that
/// cannot be used, before anything is asked.
[[nodiscard]] std::vector<SyncResult> sync(const std::filesystem::path& plugin_dir,
                                           const std::vector<ServerEntry>& servers, const SyncOptions& options);

/// One Error for the servers that failed, of the first one's kind; nothing when none did.
[[nodiscard]] std::optional<Error> failure_of(const std::vector<SyncResult>& results);

/// A plugin that people can use, after precedence: installed first, then servers in order.
struct Available {
  InstalledPlugin plugin;
  std::filesystem::path folder;     ///< absolute, inside a resolved generation
  std::filesystem::path yaml_file;  ///< "" = no YAML plugin in it, or several: each is listed by its own name, too
  std::string origin;               ///< "install" or "sync:SERVER"
  bool shadowed = false;            ///< another one of the same name wins
};
[[nodiscard]] std::vector<Available> available(const std::filesystem::path& plugin_dir);

}  // namespace vdk::plugin

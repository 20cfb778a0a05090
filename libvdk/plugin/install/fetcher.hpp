// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/install/lock.hpp"
#include "vdk/plugin/install.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {

/// What all threads of one install count together.
struct Counters {
  std::atomic<std::uint64_t> downloads{0};
  std::atomic<std::uint64_t> requests{0};
};

/// A verified file of a plugin in the cache, and what the lock file says about it.
struct Obtained {
  std::filesystem::path file;
  LockedArtifact artifact;  ///< without the tree's hash
  std::string signer;
};

/// Gets files for one thread: from the cache when it is known which, else from their provider; checked by hash and
/// signature before anybody sees them.
class Fetcher {
 public:
  Fetcher(const Config& config, const InstallOptions& options, Counters& counters);

  /// `locked` binds: exactly these bytes or an error. Null when nothing is known or something new is wanted.
  [[nodiscard]] Obtained obtain(const PluginEntry& entry, const std::string& version, const std::string& platform,
                                const LockedArtifact* locked);
  [[nodiscard]] std::vector<std::string> versions(const PluginEntry& entry);
  [[nodiscard]] Cache& cache() noexcept { return m_cache; }

 private:
  [[nodiscard]] Provider& provider(const PluginEntry& entry);
  [[nodiscard]] std::filesystem::path download(const PluginEntry& entry, const std::string& expected, bool bound,
                                               FetchRequest request, LockedArtifact& artifact);
  [[nodiscard]] std::string signature(const PluginEntry& entry, const std::string& path);
  [[nodiscard]] FetchRequest request(const PluginEntry& entry, std::string path) const;
  void refuse_offline(const PluginEntry& entry, const std::string& what) const;

  const Config& m_config;
  const InstallOptions& m_options;
  Counters& m_counters;
  Cache m_cache;
  files::TemporaryDirectory m_scratch;
  std::map<std::string, std::unique_ptr<Provider>> m_providers;
};

/// Ends the work when somebody pressed Ctrl-C.
void check_cancelled(const InstallOptions& options);

}  // namespace vdk::plugin

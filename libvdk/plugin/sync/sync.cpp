// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/sync.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/config/versions.hpp"
#include "plugin/fetch/address.hpp"
#include "plugin/sync/legacy_zip.hpp"
#include "plugin/sync/peer.hpp"
#include "plugin/sync/plugin_files.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/plugin/archive.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;
using detail::Known;
using detail::Offer;
using detail::Offered;
using nlohmann::json;

constexpr const char* k_state = "sync.json";

/// What lies on the disk of one server.
struct Local {
  std::uint64_t generation = 0;  ///< 0 = nothing yet
  Receipt receipt;
  fs::path folder;
  std::set<std::string> damaged;  ///< names of plugins whose files are not what was synced
};

Local look(const Store& store) {
  Local local;
  const auto folder = store.current();
  const auto receipt = folder ? store.receipt() : std::nullopt;
  if (!receipt) {
    return local;
  }
  local.generation = receipt->generation;
  local.receipt = *receipt;
  local.folder = *folder;
  for (const Store::Drift& drift : store.verify()) {
    local.damaged.insert(drift.plugin);
  }
  return local;
}

/// The tag of the last answer counts as long as what it stood for is still there and unchanged.
Known known_of(const Store& store, const Local& local, const std::string& address) {
  const json state = json::parse(files::read_if_exists(store.root() / k_state).value_or(""), nullptr, false);
  if (!state.is_object() || local.generation == 0 || !local.damaged.empty() ||
      state.value("address", json()) != address || state.value("generation", json()) != local.generation) {
    return {};
  }
  const json etag = state.value("etag", json());
  return {.etag = etag.is_string() ? etag.get<std::string>() : "", .legacy = state.value("legacy", json()) == true};
}

void remember(const Store& store, const std::string& address, const Offer& offer, std::uint64_t generation) {
  const json state = {{"address", address}, {"etag", offer.etag}, {"generation", generation}, {"legacy", offer.legacy}};
  files::write_atomic(store.root() / k_state, state.dump() + "\n");
}

using Versions = std::map<std::string, std::string>;  ///< version -> hash

std::string newest_of(const Versions& versions) {
  std::string best;
  for (const auto& [version, hash] : versions) {
    best = best.empty() || compare_versions(version, best) > 0 ? version : best;
  }
  return best;
}

std::vector<Change> changes_between(const Local& local, const std::vector<Offered>& offered) {
  std::map<std::string, std::pair<Versions, Versions>> by_name;
  for (const InstalledPlugin& plugin : local.receipt.plugins) {
    by_name[plugin.name].first[plugin.version] = plugin.archive_sha256;
  }
  for (const Offered& plugin : offered) {
    by_name[plugin.name].second[plugin.version] = plugin.sha256;
  }
  std::vector<Change> changes;
  for (const auto& [name, sides] : by_name) {
    const auto& [before, after] = sides;
    if (before == after && !local.damaged.contains(name)) {
      continue;
    }
    const Change::Kind kind = before.empty()  ? Change::Kind::added
                              : after.empty() ? Change::Kind::removed
                                              : Change::Kind::changed;
    changes.push_back({.kind = kind, .name = name, .from_version = newest_of(before), .to_version = newest_of(after)});
  }
  if (changes.empty() && local.damaged.contains("")) {
    changes.push_back({.kind = Change::Kind::changed, .name = "", .from_version = "", .to_version = ""});
  }
  return changes;
}

/// The file of the same hash that was synced before, when it still has that hash.
std::optional<std::string> local_file(const Local& local, const Offered& wanted) {
  for (const InstalledPlugin& plugin : local.receipt.plugins) {
    if (plugin.archive_sha256 != wanted.sha256) {
      continue;
    }
    std::error_code error;
    for (fs::directory_iterator it(local.folder / plugin.folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
      if (it->is_regular_file() && it->file_size() == wanted.size) {
        if (std::string content = files::read(it->path()); sha256_hex(content) == wanted.sha256) {
          return content;
        }
      }
    }
  }
  return std::nullopt;
}

class ServerSync {
 public:
  ServerSync(const fs::path& plugin_dir, const ServerEntry& server, const SyncOptions& options)
      : m_server(server),
        m_options(options),
        m_store(plugin_dir / detail::k_synced / server.name),
        m_peer(server, options) {
    m_result.server = server.name;
  }

  SyncResult run() {
    Local local = look(m_store);
    Offer offer = m_peer.ask(known_of(m_store, local, m_peer.address()));
    m_result.legacy = offer.legacy;
    m_result.warnings = offer.warnings;
    const Address address = parse_address(m_peer.address());
    if (address.scheme == "http" && !is_loopback(address.host)) {
      m_result.warnings.push_back("the connection is not encrypted: anybody on the way can change the plugins");
    }
    if (!offer.unchanged) {
      m_result.changes = changes_between(local, offer.plugins);
      if (!m_options.dry_run && !m_options.check) {
        apply(local, offer);
      }
    }
    m_result.changed = !m_result.changes.empty();
    m_result.network_requests = m_peer.requests();
    return std::move(m_result);
  }

 private:
  void apply(Local& local, Offer& offer) {
    if (!m_result.changes.empty() || local.generation == 0) {
      for (Offered& plugin : offer.plugins) {
        complete(local, plugin);
      }
      failpoint("plugin.sync.fetched");
      Store::Writer writer = m_store.write(m_options.lock_wait);
      const Local now = look(m_store);  // somebody else may have synced the same meanwhile
      if (now.generation != local.generation) {
        m_result.changes = changes_between(now, offer.plugins);
        local = now;
      }
      if (!m_result.changes.empty() || local.generation == 0) {
        local.generation = stage(writer, offer);
      }
    }
    remember(m_store, m_peer.address(), offer, local.generation);
  }

  void complete(const Local& local, Offered& plugin) {
    if (!plugin.content) {
      plugin.content = local_file(local, plugin);
    }
    if (!plugin.content) {
      m_peer.fetch(plugin);
      ++m_result.downloads;
    }
  }

  std::uint64_t stage(Store::Writer& writer, const Offer& offer) {
    Receipt receipt;
    receipt.source = "sync:" + m_server.name;
    for (const Offered& plugin : offer.plugins) {
      InstalledPlugin installed;
      installed.name = plugin.name;
      installed.version = plugin.version;
      installed.provider = m_server.name;
      installed.provider_kind = "server";
      installed.resolved = m_peer.address();
      installed.archive_sha256 = plugin.sha256;
      installed.folder = plugin.name + (plugin.version.empty() ? "" : "/" + plugin.version);
      const fs::path folder = writer.staging() / installed.folder;
      fs::create_directories(folder);
      std::ofstream(folder / plugin.file, std::ios::binary) << *plugin.content;
      check(folder / plugin.file, plugin);
      installed.tree_sha256 = tree_sha256(folder);
      receipt.plugins.push_back(std::move(installed));
    }
    failpoint("plugin.sync.staged");
    return writer.activate(std::move(receipt));
  }

  /// What was written is what was promised, and a plugin.
  void check(const fs::path& file, const Offered& plugin) const {
    std::vector<Problem> problems;
    const bool whole = sha256_file(file) == plugin.sha256;
    if (whole && parse_yaml_plugin(file, problems, m_options.limits)) {
      return;
    }
    throw Error(
        ErrorKind::platform,
        {.what = "cannot sync with the server '" + m_server.name + "' (" + m_peer.address() + ")",
         .why = whole ? "Its plugin '" + plugin.name + "' cannot be used: " + detail::first_mistake(problems)
                      : "The disk did not take the file of '" + plugin.name + "'.",
         .consequences = "The plugins of this server stay as they were.",
         .countermeasures = whole ? "Tell the administrator of the server; a later version of vdk may know more."
                                  : "Check that the disk is not full."});
  }

  const ServerEntry& m_server;
  const SyncOptions& m_options;
  Store m_store;
  detail::Peer m_peer;
  SyncResult m_result;
};

/// Names become folders and addresses are sent tokens, so both are looked at before anything happens.
std::vector<std::string> checked_names(const std::vector<ServerEntry>& servers) {
  std::vector<std::string> names;
  for (const ServerEntry& server : servers) {
    (void)detail::base_address(server);
    if (!is_plugin_name(server.name) || std::ranges::count(names, server.name) != 0) {
      throw Error(ErrorKind::configuration,
                  {.what = "cannot sync with the server '" + server.name + "'",
                   .why = is_plugin_name(server.name) ? "Two servers have this name."
                                                      : "A name has lower-case letters, digits, '-' and '_' only, and "
                                                        "begins with a letter.",
                   .consequences = "Nothing was synced.",
                   .countermeasures = "Give each server a name of its own, such as 'integration'."});
    }
    names.push_back(server.name);
  }
  return names;
}

}  // namespace

std::vector<SyncResult> sync(const fs::path& plugin_dir, const std::vector<ServerEntry>& servers,
                             const SyncOptions& options) {
  const std::vector<std::string> names = checked_names(servers);
  std::vector<SyncResult> results;
  for (const ServerEntry& server : servers) {
    try {
      results.push_back(ServerSync(plugin_dir, server, options).run());
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || error.kind() == ErrorKind::internal) {
        throw;
      }
      SyncResult failed;
      failed.server = server.name;
      failed.failure = error;
      results.push_back(std::move(failed));
    }
  }
  std::error_code error;
  if (!options.dry_run && !options.check && fs::is_directory(plugin_dir / detail::k_synced, error)) {
    detail::put_first(plugin_dir, names);
  }
  return results;
}

std::optional<Error> failure_of(const std::vector<SyncResult>& results) {
  std::vector<const SyncResult*> failed;
  for (const SyncResult& result : results) {
    if (result.failure) {
      failed.push_back(&result);
    }
  }
  if (failed.empty()) {
    return std::nullopt;
  }
  const Error& first = *failed.front()->failure;
  if (failed.size() == 1) {
    return first;
  }
  std::string why;
  for (const SyncResult* result : failed) {
    why += (why.empty() ? "" : "\n  ") + result->server + ": " + result->failure->text().why;
  }
  return Error(first.kind(), {.what = "cannot sync with " + std::to_string(failed.size()) + " of " +
                                      std::to_string(results.size()) + " servers",
                              .why = why,
                              .consequences = "The plugins of these servers stay as they were; the others are synced.",
                              .countermeasures = first.text().countermeasures});
}

}  // namespace vdk::plugin

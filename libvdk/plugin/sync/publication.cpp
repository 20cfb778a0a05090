// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "job/entry_name.hpp"
#include "plugin/sync/plugin_files.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Document = Publication::Document;

/// Tells a generation from every other one, also from one of the same number in a folder that was made anew.
std::string identity_of(const fs::path& generation) {
  struct stat info {};
  if (stat((generation / "receipt.json").c_str(), &info) != 0) {
    return "";
  }
  return generation.string() + ":" + std::to_string(info.st_ino) + ":" + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

Document make_document(std::string body, std::string content_type) {
  std::string etag = "\"" + sha256_hex(body) + "\"";
  return {.body = std::move(body), .content_type = std::move(content_type), .etag = std::move(etag)};
}

/// Old clients find plugins by this form of the file's name.
std::string legacy_name(const Available& plugin) {
  const std::string own = plugin.yaml_file.filename().string();
  return own.starts_with("optimus-plugin-") && own.ends_with(".yaml")
             ? own
             : "optimus-plugin-" + plugin.plugin.name + ".yaml";
}

}  // namespace

struct Publication::State {
  explicit State(fs::path plugin_dir) : store(std::move(plugin_dir)) {}

  /// Brings the documents up to the current generation; false when there is none.
  bool refresh() {
    const auto generation = store.current();
    if (!generation) {
      return false;
    }
    const std::string now = identity_of(*generation);
    if (now.empty() || now != identity) {
      build(*generation);
      identity = now;
    }
    return true;
  }

  void build(const fs::path& generation) {
    blobs.clear();
    json entries = json::array();
    std::map<std::string, fs::path> legacy;
    std::set<std::string> seen;
    std::set<std::pair<std::string, std::string>> names;
    for (const Available& plugin : detail::plugins_of(store, "install")) {
      const bool is_new = names.emplace(plugin.plugin.name, plugin.plugin.version).second;
      if (plugin.yaml_file.empty() || !is_new) {
        continue;
      }
      std::string content = files::read(plugin.yaml_file);
      const std::string hash = sha256_hex(content);
      entries.push_back({{"name", plugin.plugin.name},
                         {"version", plugin.plugin.version},
                         {"file", plugin.yaml_file.filename().string()},
                         {"size", content.size()},
                         {"sha256", hash}});
      blobs[hash] = std::move(content);
      if (seen.insert(plugin.plugin.name).second) {  // the newest version is all that they can hold
        legacy.try_emplace(legacy_name(plugin), plugin.yaml_file);
      }
    }
    std::vector<job::detail::PackItem> items;
    for (const auto& [name, file] : legacy) {
      items.push_back({.name = name, .path = file});
    }
    archive = make_document(job::detail::write_zip(items), "application/zip");
    const json document = {{"format", 1},
                           {"generation", std::stoull(generation.filename().string())},
                           {"entries", std::move(entries)},
                           {"archive", {{"sha256", sha256_hex(archive.body)}, {"size", archive.body.size()}}}};
    index = make_document(document.dump() + "\n", "application/json");
  }

  std::mutex mutex;
  Store store;
  std::string identity;
  Document index;
  Document archive;
  std::map<std::string, std::string, std::less<>> blobs;  ///< by SHA-256
};

Publication::Publication(fs::path plugin_dir) : m_state(std::make_unique<State>(std::move(plugin_dir))) {}
Publication::~Publication() = default;

std::optional<Document> Publication::index() {
  const std::lock_guard lock(m_state->mutex);
  return m_state->refresh() ? std::optional(m_state->index) : std::nullopt;
}

std::optional<Document> Publication::archive() {
  const std::lock_guard lock(m_state->mutex);
  return m_state->refresh() ? std::optional(m_state->archive) : std::nullopt;
}

std::optional<Document> Publication::blob(std::string_view sha256) {
  const std::lock_guard lock(m_state->mutex);
  if (!m_state->refresh()) {
    return std::nullopt;
  }
  const auto found = m_state->blobs.find(sha256);
  if (found == m_state->blobs.end()) {
    return std::nullopt;
  }
  return Document{
      .body = found->second, .content_type = "application/octet-stream", .etag = "\"" + found->first + "\""};
}

}  // namespace vdk::plugin

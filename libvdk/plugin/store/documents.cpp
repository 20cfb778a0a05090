// SPDX-License-Identifier: Apache-2.0
#include "plugin/store/documents.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"

namespace vdk::plugin::detail {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int k_format = 1;

Error damaged(const fs::path& file, const std::string& why) {
  return {
      ErrorKind::platform,
      {.what = "cannot use '" + file.string() + "'",
       .why = why,
       .consequences = "The plugins of this generation are not used.",
       .countermeasures = "Install or sync again, or go back to an earlier generation with `vdk plugin rollback`."}};
}

json parse(const std::string& text, const fs::path& file) {
  json document = json::parse(text, nullptr, false);
  if (!document.is_object() || document.value("format", json()) != k_format) {
    throw damaged(file, "It is damaged, or of a later version of vdk.");
  }
  return document;
}

/// The texts of a plugin and their keys.
template <typename Plugin, typename Visit>
void each_text(Plugin& plugin, Visit visit) {
  visit("name", plugin.name);
  visit("version", plugin.version);
  visit("provider", plugin.provider);
  visit("provider_kind", plugin.provider_kind);
  visit("resolved", plugin.resolved);
  visit("pin", plugin.pin);
  visit("archive_sha256", plugin.archive_sha256);
  visit("tree_sha256", plugin.tree_sha256);
  visit("signer", plugin.signer);
  visit("folder", plugin.folder);
}

}  // namespace

std::string to_json(const Receipt& receipt) {
  json plugins = json::array();
  for (const InstalledPlugin& plugin : receipt.plugins) {
    json entry;
    each_text(plugin, [&](const char* key, const std::string& value) { entry[key] = value; });
    plugins.push_back(std::move(entry));
  }
  const json document = {{"format", k_format},
                         {"generation", receipt.generation},
                         {"source", receipt.source},
                         {"config_file", receipt.config_file},
                         {"config_digest", receipt.config_digest},
                         {"created", receipt.created},
                         {"vdk_version", receipt.vdk_version},
                         {"plugins", std::move(plugins)}};
  return document.dump(2) + "\n";
}

Receipt parse_receipt(const std::string& text, const fs::path& file) {
  const json document = parse(text, file);
  try {
    Receipt receipt;
    receipt.generation = document.at("generation").get<std::uint64_t>();
    receipt.source = document.at("source").get<std::string>();
    receipt.config_digest = document.at("config_digest").get<std::string>();
    receipt.config_file = document.value("config_file", "");
    receipt.created = document.at("created").get<std::string>();
    receipt.vdk_version = document.at("vdk_version").get<std::string>();
    for (const json& entry : document.at("plugins")) {
      InstalledPlugin plugin;
      each_text(plugin, [&](const char* key, std::string& value) { value = entry.at(key).get<std::string>(); });
      receipt.plugins.push_back(std::move(plugin));
    }
    return receipt;
  } catch (const json::exception& error) {
    throw damaged(file, std::string("It is damaged: ") + error.what());
  }
}

Manifest take_manifest(const fs::path& generation) {
  Manifest manifest;
  for (const auto& entry : fs::recursive_directory_iterator(generation)) {
    const std::string name = entry.path().lexically_relative(generation).generic_string();
    if (name == k_receipt || name == k_manifest) {
      continue;
    }
    if (entry.is_symlink()) {
      manifest[name] = {'l', fs::read_symlink(entry.path()).string()};
    } else if (entry.is_directory()) {
      manifest[name] = {'d', ""};
    } else if (entry.is_regular_file()) {
      const bool executable = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      manifest[name] = {executable ? 'x' : 'f', sha256_file(entry.path())};
    } else {
      manifest[name] = {'?', ""};
    }
  }
  return manifest;
}

std::string to_json(const Manifest& manifest) {
  json items = json::object();
  for (const auto& [path, item] : manifest) {
    items[path] = std::string(1, item.kind) + item.content;
  }
  return json{{"format", k_format}, {"files", std::move(items)}}.dump(1) + "\n";
}

Manifest parse_manifest(const std::string& text, const fs::path& file) {
  const json document = parse(text, file);
  try {
    Manifest manifest;
    for (const auto& [path, value] : document.at("files").items()) {
      const auto told = value.get<std::string>();
      manifest[path] = {told.empty() ? '?' : told.front(), told.substr(std::min<std::size_t>(1, told.size()))};
    }
    return manifest;
  } catch (const json::exception& error) {
    throw damaged(file, std::string("It is damaged: ") + error.what());
  }
}

}  // namespace vdk::plugin::detail

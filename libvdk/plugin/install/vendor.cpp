// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "plugin/config/paths.hpp"
#include "plugin/install/failures.hpp"
#include "plugin/install/fetcher.hpp"
#include "plugin/install/plan.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

std::string archive_word(PluginEntry::Archive archive) {
  switch (archive) {
    case PluginEntry::Archive::automatic:
      break;
    case PluginEntry::Archive::zip:
      return "zip";
    case PluginEntry::Archive::tar_gz:
      return "tar.gz";
    case PluginEntry::Archive::tar:
      return "tar";
    case PluginEntry::Archive::none:
      return "none";
  }
  return {};
}

/// Path below the vendor folder, with {os} and {arch} where the plugin has them.
std::string vendor_path(const Config& config, const PluginEntry& entry, const std::string& version) {
  const bool several = platforms_of(entry).front() != k_any_platform;
  std::string file(path_of_file(provider_of(config, entry).kind, entry.path));
  file = file.substr(file.rfind('/') + 1);
  if (file.empty() || file == ".") {
    file = "repository";
  }
  if (file.find("{version}") != std::string::npos) {
    file = fill_placeholders(file, version, "{os}/{arch}");
  }
  return entry.name + "/" + (version.empty() ? "" : version + "/") + (several ? "{os}-{arch}/" : "") + file;
}

class Folder {
 public:
  Folder(const Config& config, const Lock& lock, fs::path directory)
      : m_config(config), m_lock(lock), m_directory(std::move(directory)) {}

  Vendored write(Fetcher& fetcher) {
    Failures failures;
    for (const PluginEntry& entry : m_config.plugins) {
      try {
        copy(entry, m_lock.plugins.at(entry.name), fetcher);
      } catch (const Error& error) {
        failures.add(entry.name, error);
      }
    }
    failures.raise();
    m_result.config = m_directory / "vdk-plugins.yaml";
    files::write_atomic(m_result.config, configuration());
    files::sync_tree(m_directory);
    return m_result;
  }

 private:
  void copy(const PluginEntry& entry, const LockedPlugin& locked, Fetcher& fetcher) {
    for (const auto& [platform, artifact] : locked.platforms) {
      const Obtained obtained = fetcher.obtain(entry, locked.version, platform, &artifact);
      const fs::path target =
          m_directory / fill_placeholders(vendor_path(m_config, entry, locked.version), "", platform);
      fs::create_directories(target.parent_path());
      fs::copy_file(obtained.file, target);
      fs::permissions(target,
                      fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read);
      if (!artifact.signature.empty()) {
        files::write_atomic(target.string() + ".minisig", artifact.signature);
      }
      ++m_result.files;
      m_result.bytes += artifact.size;
    }
  }

  [[nodiscard]] std::string configuration() const {
    YAML::Emitter out;
    out << YAML::Comment("Made by `vdk plugin vendor`: installs from this folder, without any network.")
        << YAML::Newline;
    out << YAML::BeginMap << YAML::Key << "plugins" << YAML::Value << YAML::BeginMap;
    providers(out);
    policy(out);
    out << YAML::Key << "plugins" << YAML::Value << YAML::BeginSeq;
    for (const PluginEntry& entry : m_config.plugins) {
      plugin(out, entry, m_lock.plugins.at(entry.name));
    }
    out << YAML::EndSeq << YAML::EndMap << YAML::EndMap;
    return std::string(out.c_str()) + "\n";
  }

  void providers(YAML::Emitter& out) const {
    out << YAML::Key << "providers" << YAML::Value << YAML::BeginSeq;
    for (const ProviderConfig& provider : m_config.providers) {
      out << YAML::BeginMap << YAML::Key << "type" << YAML::Value << "file" << YAML::Key << "name" << YAML::Value
          << provider.name << YAML::Key << "path" << YAML::Value << ".";
      if (!provider.trusted_keys.empty()) {
        out << YAML::Key << "trusted_keys" << YAML::Value << provider.trusted_keys;
      }
      out << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }

  void policy(YAML::Emitter& out) const {
    const Policy& policy = m_config.policy;
    const Limits& limits = policy.limits;
    out << YAML::Key << "policy" << YAML::Value << YAML::BeginMap;
    out << YAML::Key << "require_checksum" << YAML::Value << true;
    out << YAML::Key << "require_signature" << YAML::Value << policy.require_signature;
    out << YAML::Key << "allow_symlinks" << YAML::Value << policy.allow_symlinks;
    out << YAML::Key << "limits" << YAML::Value << YAML::Flow << YAML::BeginMap;
    out << YAML::Key << "download_bytes" << YAML::Value << limits.download_bytes;
    out << YAML::Key << "unpacked_bytes" << YAML::Value << limits.unpacked_bytes;
    out << YAML::Key << "ratio" << YAML::Value << limits.ratio;
    out << YAML::Key << "entries" << YAML::Value << limits.entries;
    out << YAML::Key << "depth" << YAML::Value << limits.depth;
    out << YAML::Key << "name_bytes" << YAML::Value << limits.name_bytes;
    out << YAML::Key << "path_bytes" << YAML::Value << limits.path_bytes;
    out << YAML::Key << "yaml_bytes" << YAML::Value << limits.yaml_bytes;
    out << YAML::EndMap << YAML::EndMap;
  }

  void plugin(YAML::Emitter& out, const PluginEntry& entry, const LockedPlugin& locked) const {
    const std::string path = vendor_path(m_config, entry, locked.version);
    out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << entry.name;
    out << YAML::Key << "provider" << YAML::Value << entry.provider << YAML::Key << "path" << YAML::Value << path;
    if (!locked.version.empty()) {
      out << YAML::Key << "version" << YAML::Value << YAML::DoubleQuoted << locked.version;
    }
    out << YAML::Key << "sha256" << YAML::Value;
    if (locked.platforms.contains(k_any_platform)) {
      out << locked.platforms.at(k_any_platform).sha256;
    } else {
      out << YAML::BeginMap;
      for (const auto& [platform, artifact] : locked.platforms) {
        out << YAML::Key << platform << YAML::Value << artifact.sha256;
      }
      out << YAML::EndMap << YAML::Key << "platforms" << YAML::Value << YAML::Flow << YAML::BeginSeq;
      for (const auto& [platform, artifact] : locked.platforms) {
        out << platform;
      }
      out << YAML::EndSeq;
    }
    if (!entry.signature.empty()) {
      out << YAML::Key << "signature" << YAML::Value << path + ".minisig";
    }
    if (const std::string archive = archive_word(entry.archive); !archive.empty()) {
      out << YAML::Key << "archive" << YAML::Value << archive;
    }
    if (entry.strip_components > 0) {
      out << YAML::Key << "strip_components" << YAML::Value << entry.strip_components;
    }
    if (!entry.include.empty()) {
      out << YAML::Key << "include" << YAML::Value << entry.include;
    }
    out << YAML::EndMap;
  }

  const Config& m_config;
  const Lock& m_lock;
  const fs::path m_directory;
  Vendored m_result;
};

}  // namespace

Vendored vendor(const Config& config, const fs::path& directory, const InstallOptions& options) {
  const auto lock = read_lock(config.lock);
  if (!is_complete(lock, config)) {
    throw Error(ErrorKind::configuration,
                {.what = "there is nothing definite to copy",
                 .why = "the lock file '" + config.lock.string() + "' does not say everything about the configuration",
                 .consequences = "Nothing was written.",
                 .countermeasures = "Run `vdk plugin install` first."});
  }
  const fs::path target = fs::absolute(directory).lexically_normal();
  if (fs::exists(target) && (!fs::is_directory(target) || !fs::is_empty(target))) {
    throw Error(ErrorKind::conflict, {.what = "'" + target.string() + "' is in the way",
                                      .why = "it exists and is not an empty folder",
                                      .consequences = "Nothing was written.",
                                      .countermeasures = "Name a folder that is empty or does not exist."});
  }
  const fs::path parent = (target.has_filename() ? target : target.parent_path()).parent_path();
  fs::create_directories(parent);
  files::TemporaryDirectory scratch(parent, ".vdk-vendor");
  Counters counters;
  Fetcher fetcher(config, options, counters);
  Vendored result = Folder(config, *lock, scratch.path()).write(fetcher);
  fs::permissions(scratch.path(), fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                                      fs::perms::others_read | fs::perms::others_exec);
  fs::remove(target);
  fs::rename(scratch.path(), target);
  scratch.keep();
  files::sync_directory(parent);
  result.config = target / result.config.filename();
  return result;
}

}  // namespace vdk::plugin

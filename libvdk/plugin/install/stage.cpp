// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>

#include "plugin/config/paths.hpp"
#include "plugin/config/versions.hpp"
#include "plugin/install/failures.hpp"
#include "plugin/install/plan.hpp"
#include "plugin/install/steps.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/plugin/archive.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

const char* const k_nothing_changed = "Nothing was changed.";

class Session {
 public:
  Session(const Config& config, const InstallOptions& options, const Before& before, fs::path staging,
          Counters& counters)
      : m_config(config), m_options(options), m_before(before), m_staging(std::move(staging)), m_counters(counters) {}

  /// Everything fetched, checked and unpacked; throws what failed, all of it.
  std::map<std::string, Staged> run() {
    const std::size_t wanted = m_config.plugins.size();
    const std::size_t threads =
        std::min<std::size_t>(wanted, static_cast<std::size_t>(std::max(1, m_options.parallel)));
    std::vector<std::thread> workers;
    try {
      for (std::size_t i = 1; i < threads; ++i) {
        workers.emplace_back([this] { work(); });
      }
    } catch (const std::system_error&) {
      // a machine that has no more threads: those that run do the work
    }
    work();
    for (std::thread& worker : workers) {
      worker.join();
    }
    check_cancelled(m_options);
    m_failures.raise();
    return std::move(m_done);
  }

 private:
  void work() {
    std::optional<Fetcher> fetcher;
    for (std::size_t i = m_next++; i < m_config.plugins.size(); i = m_next++) {
      const PluginEntry& entry = m_config.plugins[i];
      try {
        if (!fetcher) {
          fetcher.emplace(m_config, m_options, m_counters);
        }
        Staged staged = stage(entry, *fetcher);
        const std::lock_guard guard(m_mutex);
        m_done.emplace(entry.name, std::move(staged));
      } catch (const Error& error) {
        m_failures.add(entry.name, error);
      } catch (const std::exception& error) {
        m_failures.add(entry.name, Error(ErrorKind::platform, {"unexpected", error.what(), k_nothing_changed, ""}));
      }
    }
  }

  Staged stage(const PluginEntry& entry, Fetcher& fetcher) {
    check_cancelled(m_options);
    const auto own = own_platform(entry);
    if (!own) {
      throw Error(ErrorKind::unsupported,
                  {.what = "plugin '" + entry.name + "' is not made for this machine",
                   .why = "its platforms do not list " + this_platform(),
                   .consequences = k_nothing_changed,
                   .countermeasures = "Add " + this_platform() + " to `platforms`."},
                  entry.where);
    }
    const LockedPlugin* known = last_locked(entry);
    const LockedPlugin* bound = locked_of(m_before.lock, m_config, entry);
    Staged out;
    out.locked = {.version = choose_version(entry, known, m_options, fetcher),
                  .provider = entry.provider,
                  .provider_kind = std::string(to_string(provider_of(m_config, entry).kind)),
                  .source = source_digest(provider_of(m_config, entry), entry),
                  .unpack = unpack_digest(entry, m_config.policy),
                  .signer = {},
                  .platforms = {}};
    if (bound != nullptr && (may_upgrade(m_options, entry.name) || bound->version != out.locked.version)) {
      bound = nullptr;
    }
    if (bound != nullptr && reuse(entry, *bound, *own, out)) {
      return out;
    }
    for (const std::string& platform : platforms_of(entry)) {
      unpack_platform(entry, platform, platform == *own, bound, fetcher, out);
    }
    keep_other_platforms(bound, out);
    check_signer(entry, known, out.locked.signer);
    out.installed = installed(entry.name, out.locked, out.locked.platforms.at(*own));
    return out;
  }

  [[nodiscard]] const LockedPlugin* last_locked(const PluginEntry& entry) const {
    if (!m_before.lock) {
      return nullptr;
    }
    const auto found = m_before.lock->plugins.find(entry.name);
    return found == m_before.lock->plugins.end() ? nullptr : &found->second;
  }

  /// What lies in the current generation and is what the lock file says is copied, and its tree checked again.
  bool reuse(const PluginEntry& entry, const LockedPlugin& bound, const std::string& own, Staged& out) const {
    const bool checked =
        entry.signature.empty() || (m_before.receipt && m_before.receipt->config_digest == m_config.digest);
    const std::vector<std::string> wanted = platforms_of(entry);
    const bool complete = std::all_of(wanted.begin(), wanted.end(), [&](const std::string& platform) {
      const auto there = bound.platforms.find(platform);
      const std::string sha256 = wanted_sha256(entry, platform);
      return there != bound.platforms.end() && (sha256.empty() || sha256 == there->second.sha256);
    });
    if (!m_before.receipt || !m_before.current || !checked || !complete || bound.unpack != out.locked.unpack ||
        (entry.signature.empty() != bound.signer.empty())) {
      return false;
    }
    const InstalledPlugin expected = installed(entry.name, bound, bound.platforms.at(own));
    const auto& there = m_before.receipt->plugins;
    const bool same = std::any_of(there.begin(), there.end(), [&](const InstalledPlugin& one) {
      return one.name == entry.name && one.folder == expected.folder && one.tree_sha256 == expected.tree_sha256 &&
             one.archive_sha256 == expected.archive_sha256;
    });
    if (!same || !copy_installed(expected)) {
      return false;
    }
    out.locked.signer = bound.signer;
    out.locked.platforms = bound.platforms;
    out.installed = installed(entry.name, out.locked, bound.platforms.at(own));
    return true;
  }

  [[nodiscard]] bool copy_installed(const InstalledPlugin& plugin) const {
    const fs::path target = m_staging / plugin.folder;
    std::error_code problem;
    fs::create_directories(target.parent_path(), problem);
    fs::copy(*m_before.current / plugin.folder, target, fs::copy_options::recursive | fs::copy_options::copy_symlinks,
             problem);
    if (!problem && tree_sha256(target) == plugin.tree_sha256) {
      return true;
    }
    files::remove_tree(target);
    return false;
  }

  void unpack_platform(const PluginEntry& entry, const std::string& platform, bool here, const LockedPlugin* bound,
                       Fetcher& fetcher, Staged& out) const {
    const LockedArtifact* locked = nullptr;
    if (bound != nullptr && bound->platforms.contains(platform)) {
      locked = &bound->platforms.at(platform);
    }
    Obtained obtained = fetcher.obtain(entry, out.locked.version, platform, locked);
    UnpackOptions options;
    options.archive = entry.archive;
    options.file_name = file_name(entry, obtained.artifact.path);
    options.strip_components = entry.strip_components;
    options.include = entry.include;
    options.allow_symlinks = m_config.policy.allow_symlinks;
    options.limits = m_config.policy.limits;
    // Other machines' files are unpacked too, for the hash of their tree, and thrown away.
    std::optional<files::TemporaryDirectory> elsewhere;
    fs::path target = m_staging / entry.name / out.locked.version;
    if (here) {
      fs::create_directories(target);
    } else {
      target = elsewhere.emplace(fetcher.cache().scratch(), "unpack").path();
    }
    const Unpacked unpacked = unpack(obtained.file, target, options);
    for (const std::string& warning : unpacked.warnings) {
      out.warnings.push_back(entry.name + ": " + warning);
    }
    if (unpacked.files == 0) {
      throw Error(ErrorKind::platform,
                  {.what = "nothing of plugin '" + entry.name + "' would be installed",
                   .why = entry.include.empty() ? "its archive holds no file" : "no file of its archive fits `include`",
                   .consequences = k_nothing_changed,
                   .countermeasures = "Check the archive and `include`."},
                  entry.where);
    }
    const std::string tree = tree_sha256(target);
    if (locked != nullptr && bound->unpack == out.locked.unpack && tree != locked->tree_sha256) {
      throw Error(ErrorKind::platform,
                  {.what = "the files of plugin '" + entry.name + "' are not the ones that were locked",
                   .why = "they have tree_sha256 " + tree + " and should have " + locked->tree_sha256,
                   .consequences = k_nothing_changed,
                   .countermeasures = "Run `vdk plugin upgrade " + entry.name + "` to lock them anew."},
                  entry.where);
    }
    obtained.artifact.tree_sha256 = tree;
    if (here) {
      out.locked.signer = obtained.signer;
      warn_about_yaml(entry, target, out.warnings);
    }
    out.locked.platforms[platform] = std::move(obtained.artifact);
    failpoint("plugin.install.unpacked");
  }

  /// A YAML plugin that nobody can use is told now and not when a job is made. Other YAML files are none of our
  /// business.
  void warn_about_yaml(const PluginEntry& entry, const fs::path& folder, std::vector<std::string>& warnings) const {
    for (const auto& file : fs::directory_iterator(folder)) {
      const std::string name = file.path().filename().string();
      const bool yaml = name.ends_with(".yaml") || name.ends_with(".yml");
      const bool ours =
          name.starts_with("optimus-plugin-") || name.starts_with("plugin.") || name == file_name(entry, entry.path);
      std::vector<Problem> problems;
      if (!yaml || !ours || !file.is_regular_file() ||
          parse_yaml_plugin(file.path(), problems, m_config.policy.limits)) {
        continue;
      }
      const auto first = std::find_if(problems.begin(), problems.end(),
                                      [](const Problem& one) { return one.severity == Problem::Severity::error; });
      if (first != problems.end()) {
        warnings.push_back(entry.name + ": " + name + ":" + std::to_string(first->location.line) +
                           " is no usable YAML plugin: " + first->message);
      }
    }
  }

  [[nodiscard]] std::string file_name(const PluginEntry& entry, std::string_view path) const {
    const std::string_view plain = path_of_file(provider_of(m_config, entry).kind, path);
    return std::string(plain.substr(plain.rfind('/') + 1));
  }

  /// Machines of another kind have put theirs into the lock file.
  static void keep_other_platforms(const LockedPlugin* bound, Staged& out) {
    if (bound != nullptr && bound->unpack == out.locked.unpack) {
      out.locked.platforms.insert(bound->platforms.begin(), bound->platforms.end());
    }
  }

  void check_signer(const PluginEntry& entry, const LockedPlugin* known, const std::string& signer) const {
    if (known == nullptr || known->signer.empty() || known->signer == signer || m_options.accept_new_signer) {
      return;
    }
    throw Error(ErrorKind::conflict,
                {.what = signer.empty() ? "plugin '" + entry.name + "' was signed and now is not"
                                        : "plugin '" + entry.name + "' is signed by another key than before",
                 .why = "the lock file has key " + known->signer +
                        (signer.empty() ? " and the configuration asks for no signature"
                                        : " and the file is signed by " + signer),
                 .consequences = k_nothing_changed,
                 .countermeasures = "If you know why, run it again with --accept-new-signer."},
                entry.where);
  }

  const Config& m_config;
  const InstallOptions& m_options;
  const Before& m_before;
  const fs::path m_staging;
  Counters& m_counters;
  std::atomic<std::size_t> m_next{0};
  std::mutex m_mutex;
  std::map<std::string, Staged> m_done;
  Failures m_failures;
};

}  // namespace

bool may_upgrade(const InstallOptions& options, const std::string& name) {
  const auto& only = options.upgrade_only;
  return options.upgrade && (only.empty() || std::find(only.begin(), only.end(), name) != only.end());
}

std::string choose_version(const PluginEntry& entry, const LockedPlugin* known, const InstallOptions& options,
                           Fetcher& fetcher) {
  if (entry.version.empty() || !is_constraint(entry.version)) {
    return entry.version;
  }
  if (known != nullptr && !known->version.empty() && !may_upgrade(options, entry.name) &&
      satisfies(known->version, entry.version)) {
    return known->version;
  }
  const std::vector<std::string> all = fetcher.versions(entry);
  const auto found = newest(all, entry.version);
  if (!found) {
    throw Error(ErrorKind::not_found,
                {.what = "plugin '" + entry.name + "' has no version that fits " + entry.version,
                 .why = all.empty() ? "its provider has no version at all"
                                    : "the newest of " + std::to_string(all.size()) + " versions is " +
                                          newest(all, "").value_or(all.front()),
                 .consequences = k_nothing_changed,
                 .countermeasures = "Correct `version`, or the path in which {version} stands."},
                entry.where);
  }
  return *found;
}

std::map<std::string, Staged> stage_all(const Config& config, const InstallOptions& options, const Before& before,
                                        const fs::path& staging, Counters& counters) {
  return Session(config, options, before, staging, counters).run();
}

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <thread>

#include "plugin/config/versions.hpp"
#include "plugin/install/failures.hpp"
#include "plugin/install/fetcher.hpp"
#include "plugin/install/plan.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/archive.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

const char* const k_nothing_changed = "Nothing was changed.";

/// What was there before.
struct Before {
  std::optional<std::string> lock_text;
  std::optional<Lock> lock;
  std::optional<Receipt> receipt;
  std::optional<fs::path> current;
  std::vector<std::string> warnings;
};

Before look(const Config& config, const Store& store) {
  Before before;
  before.lock_text = files::read_if_exists(config.lock);
  if (before.lock_text) {
    before.lock = parse_lock(config.lock, *before.lock_text);
  }
  try {
    before.current = store.current();
    before.receipt = store.receipt();
  } catch (const Error& error) {
    before.warnings.push_back("the installed plugins cannot be read and are installed anew: " +
                              std::string(error.what()));
    before.current.reset();
  }
  return before;
}

bool is_up_to_date(const Config& config, const InstallOptions& options, const Store& store, const Before& before) {
  return !options.upgrade && is_complete(before.lock, config) &&
         is_installed(before.receipt, *before.lock, config, !options.prune) && store.verify().empty();
}

bool may_upgrade(const InstallOptions& options, const std::string& name) {
  const auto& only = options.upgrade_only;
  return options.upgrade && (only.empty() || std::find(only.begin(), only.end(), name) != only.end());
}

/// Version of an entry: exact, the locked one when it still fits, else the newest that the provider has.
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

struct Staged {
  LockedPlugin locked;
  InstalledPlugin installed;
  std::vector<std::string> warnings;
};

class Session {
 public:
  Session(const Config& config, const InstallOptions& options, const Before& before, fs::path staging)
      : m_config(config), m_options(options), m_before(before), m_staging(std::move(staging)) {}

  /// Everything fetched, checked and unpacked; throws what failed, all of it.
  std::map<std::string, Staged> run() {
    const std::size_t wanted = m_config.plugins.size();
    const std::size_t threads =
        std::min<std::size_t>(wanted, static_cast<std::size_t>(std::max(1, m_options.parallel)));
    std::vector<std::thread> workers;
    for (std::size_t i = 1; i < threads; ++i) {
      workers.emplace_back([this] { work(); });
    }
    work();
    for (std::thread& worker : workers) {
      worker.join();
    }
    check_cancelled(m_options);
    m_failures.raise();
    return std::move(m_done);
  }
  [[nodiscard]] const Counters& counters() const noexcept { return m_counters; }

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
    options.file_name = file_name(obtained.artifact.path);
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
    }
    out.locked.platforms[platform] = std::move(obtained.artifact);
    failpoint("plugin.install.unpacked");
  }

  /// Name of the last part of a path, without what an address may have after it.
  static std::string file_name(const std::string& path) {
    const std::string plain = path.substr(0, path.find_first_of("?#"));
    return plain.substr(plain.rfind('/') + 1);
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
  Counters m_counters;
  std::atomic<std::size_t> m_next{0};
  std::mutex m_mutex;
  std::map<std::string, Staged> m_done;
  Failures m_failures;
};

/// Plugins that the configuration does not name and that stay all the same.
void carry_over(const Config& config, const Before& before, const fs::path& staging, Receipt& receipt) {
  if (!before.receipt || !before.current) {
    return;
  }
  for (const InstalledPlugin& plugin : before.receipt->plugins) {
    const bool named = std::any_of(config.plugins.begin(), config.plugins.end(),
                                   [&](const PluginEntry& entry) { return entry.name == plugin.name; });
    if (named) {
      continue;
    }
    fs::create_directories((staging / plugin.folder).parent_path());
    fs::copy(*before.current / plugin.folder, staging / plugin.folder,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    if (tree_sha256(staging / plugin.folder) != plugin.tree_sha256) {
      throw Error(ErrorKind::platform,
                  {.what = "plugin '" + plugin.name + "' cannot be kept",
                   .why = "its files were changed after they were installed, and the configuration does not name it",
                   .consequences = k_nothing_changed,
                   .countermeasures = "Add it to the configuration, or leave --no-prune out to remove it."});
    }
    receipt.plugins.push_back(plugin);
  }
}

/// The new lock file, then the new generation. When the second fails the first is taken back. A kill between them
/// leaves a lock file that is ahead; the next install finds everything it names in the cache.
class Commit {
 public:
  Commit(const Config& config, const Before& before) : m_config(config), m_before(before) {}

  void write_lock(const std::string& text) {
    if (m_before.lock_text == text) {
      return;
    }
    try {
      files::write_atomic(m_config.lock, text);
    } catch (const Error& error) {
      throw Error(error.kind(),
                  {error.text().what, error.text().why, k_nothing_changed,
                   "Make the folder writable, or name another place with `lock_file` in the configuration."});
    }
    m_written = true;
    failpoint("plugin.install.locked");
  }
  void take_back() noexcept {
    if (!m_written) {
      return;
    }
    try {
      if (m_before.lock_text) {
        files::write_atomic(m_config.lock, *m_before.lock_text);
      } else {
        fs::remove(m_config.lock);
      }
    } catch (const std::exception&) {
      return;  // a lock file that is ahead does no harm
    }
  }

 private:
  const Config& m_config;
  const Before& m_before;
  bool m_written = false;
};

InstallResult install_now(const Config& config, const InstallOptions& options, Store& store, Store::Writer& writer,
                          const Before& before) {
  Session session(config, options, before, writer.staging());
  const std::map<std::string, Staged> staged = session.run();
  Lock lock{.config_digest = config.digest, .plugins = {}};
  Receipt receipt;
  receipt.source = "install";
  receipt.config_digest = config.digest;
  InstallResult result;
  result.warnings = before.warnings;
  for (const auto& [name, one] : staged) {
    lock.plugins.emplace(name, one.locked);
    receipt.plugins.push_back(one.installed);
    result.warnings.insert(result.warnings.end(), one.warnings.begin(), one.warnings.end());
  }
  if (!options.prune) {
    carry_over(config, before, writer.staging(), receipt);
  }
  std::sort(receipt.plugins.begin(), receipt.plugins.end(),
            [](const InstalledPlugin& left, const InstalledPlugin& right) { return left.name < right.name; });
  result.downloads = session.counters().downloads;
  result.network_requests = session.counters().requests;
  const auto installed = before.receipt ? before.receipt->plugins : std::vector<InstalledPlugin>{};
  result.changes = differences(installed, receipt.plugins);
  failpoint("plugin.install.staged");
  check_cancelled(options);
  Commit commit(config, before);
  commit.write_lock(to_text(lock));
  const bool same = before.receipt && result.changes.empty() && before.receipt->config_digest == config.digest &&
                    store.verify().empty();
  try {
    result.generation = same ? before.receipt->generation : writer.activate(std::move(receipt));
  } catch (...) {
    commit.take_back();
    throw;
  }
  failpoint("plugin.install.done");
  return result;
}

/// What an install would do, as far as that is known without fetching plugins.
InstallResult foresee(const Config& config, const InstallOptions& options, const Store& store, const Before& before) {
  Counters counters;
  Fetcher fetcher(config, options, counters);
  Failures failures;
  std::vector<InstalledPlugin> after;
  std::vector<InstalledPlugin> now = before.receipt ? before.receipt->plugins : std::vector<InstalledPlugin>{};
  for (const PluginEntry& entry : config.plugins) {
    try {
      const LockedPlugin* bound = locked_of(before.lock, config, entry);
      LockedPlugin plugin = bound == nullptr ? LockedPlugin{} : *bound;
      plugin.version = choose_version(entry, bound, options, fetcher);
      const auto own = own_platform(entry);
      LockedArtifact artifact;
      if (bound != nullptr && bound->version == plugin.version && own && bound->platforms.contains(*own) &&
          bound->unpack == unpack_digest(entry, config.policy)) {
        artifact = bound->platforms.at(*own);
      }
      after.push_back(installed(entry.name, plugin, artifact));
    } catch (const Error& error) {
      failures.add(entry.name, error);
    }
  }
  failures.raise();
  if (before.receipt) {
    for (const Store::Drift& drift : store.verify()) {
      for (InstalledPlugin& plugin : now) {
        plugin.tree_sha256 = plugin.name == drift.plugin ? drift.what : plugin.tree_sha256;
      }
    }
  }
  std::sort(after.begin(), after.end(),
            [](const InstalledPlugin& left, const InstalledPlugin& right) { return left.name < right.name; });
  InstallResult result;
  result.warnings = before.warnings;
  result.network_requests = counters.requests;
  result.generation = before.receipt ? before.receipt->generation : 0;
  result.changes = differences(now, after);
  if (!options.prune) {
    std::erase_if(result.changes, [](const Change& change) { return change.kind == Change::Kind::removed; });
  }
  return result;
}

void refuse_pending(const Config& config, const InstallResult& result, bool lock_complete) {
  if (result.changes.empty() && lock_complete) {
    return;
  }
  std::string why;
  for (const Change& change : result.changes) {
    why += (why.empty() ? "" : "\n") + describe(change);
  }
  if (!lock_complete) {
    why += std::string(why.empty() ? "" : "\n") + "the lock file does not say everything that the configuration wants";
  }
  throw Error(ErrorKind::pending, {.what = "the installed plugins are not what '" + config.file.string() + "' says",
                                   .why = why,
                                   .consequences = k_nothing_changed,
                                   .countermeasures = "Run `vdk plugin install`."});
}

void refuse_incomplete_lock(const Config& config, const std::optional<Lock>& lock) {
  if (is_complete(lock, config)) {
    return;
  }
  std::vector<std::string> names;
  for (const PluginEntry& entry : config.plugins) {
    if (locked_of(lock, config, entry) == nullptr) {
      names.push_back(entry.name);
    }
  }
  throw Error(ErrorKind::configuration,
              {.what = lock ? "the lock file does not fit the configuration" : "there is no lock file",
               .why = !lock           ? "'" + config.lock.string() + "' does not exist"
                      : names.empty() ? "the configuration was changed after '" + config.lock.string() + "' was written"
                                      : "it does not have " + text::quoted_list(names) + " as configured",
               .consequences = k_nothing_changed,
               .countermeasures = "Run `vdk plugin install` without --locked and keep the lock file it writes."});
}

}  // namespace

InstallResult install(const Config& config, const InstallOptions& options) {
  Store store(config.plugin_dir);
  const auto unchanged = [](const Before& before) {
    return InstallResult{.generation = before.receipt->generation, .warnings = before.warnings};
  };
  const Before first = look(config, store);
  if (is_up_to_date(config, options, store, first)) {
    return unchanged(first);
  }
  if (options.locked) {
    refuse_incomplete_lock(config, first.lock);
  }
  if (options.dry_run || options.check) {
    InstallResult result = foresee(config, options, store, first);
    if (options.check) {
      refuse_pending(config, result, is_complete(first.lock, config));
    }
    return result;
  }
  Store::Writer writer = store.write(options.lock_wait);
  const Before before = look(config, store);  // another one may have finished in the meantime
  if (is_up_to_date(config, options, store, before)) {
    return unchanged(before);
  }
  return install_now(config, options, store, writer, before);
}

}  // namespace vdk::plugin

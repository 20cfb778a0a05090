// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plugin/install/plan.hpp"
#include "plugin/install/steps.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/archive.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

const char* const k_nothing_changed = "Nothing was changed.";

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

/// False too when nobody can tell because the store's own files are damaged: they are then written anew.
bool is_intact(const Store& store) {
  try {
    return store.verify().empty();
  } catch (const Error&) {
    return false;
  }
}

bool is_up_to_date(const Config& config, const InstallOptions& options, const Store& store, const Before& before) {
  return !options.upgrade && is_complete(before.lock, config) &&
         is_installed(before.receipt, *before.lock, config, !options.prune) && is_intact(store);
}

/// Another configuration's plugins are not swept away by this one.
void refuse_foreign(const Config& config, const InstallOptions& options, const Before& before) {
  const std::string owner = before.receipt ? before.receipt->config_file : std::string();
  std::error_code ignored;
  if (!options.prune || owner.empty() || owner == config.file.string() || !fs::exists(owner, ignored) ||
      fs::equivalent(owner, config.file, ignored)) {
    return;
  }
  for (const InstalledPlugin& plugin : before.receipt->plugins) {
    const bool named = std::any_of(config.plugins.begin(), config.plugins.end(),
                                   [&](const PluginEntry& entry) { return entry.name == plugin.name; });
    if (!named) {
      throw Error(ErrorKind::conflict,
                  {.what = "the plugins in '" + config.plugin_dir.string() + "' belong to another configuration",
                   .why = "'" + owner + "' installed them, and '" + plugin.name + "' would be removed",
                   .consequences = k_nothing_changed,
                   .countermeasures = "Give this configuration a `plugin_dir` of its own, or run it with --no-prune to "
                                      "keep the plugins of both."});
    }
  }
}

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

[[noreturn]] void refuse_new_lock(const Config& config) {
  throw Error(ErrorKind::configuration,
              {.what = "the lock file does not fit what would be installed",
               .why = "'" + config.lock.string() + "' would have to be changed, and --locked forbids it",
               .consequences = k_nothing_changed,
               .countermeasures = "Run `vdk plugin install` without --locked and keep the lock file it writes."});
}

InstallResult install_now(const Config& config, const InstallOptions& options, Store& store, Store::Writer& writer,
                          const Before& before) {
  Counters counters;
  const std::map<std::string, Staged> staged = stage_all(config, options, before, writer.staging(), counters);
  Lock lock{.config_digest = config.digest, .plugins = {}};
  Receipt receipt;
  receipt.source = "install";
  receipt.config_digest = config.digest;
  receipt.config_file = config.file.string();
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
  result.downloads = counters.downloads;
  result.network_requests = counters.requests;
  const auto installed = before.receipt ? before.receipt->plugins : std::vector<InstalledPlugin>{};
  result.changes = differences(installed, receipt.plugins);
  failpoint("plugin.install.staged");
  check_cancelled(options);
  Commit commit(config, before);
  if (!options.locked) {
    commit.write_lock(to_text(lock));
  } else if (!before.lock || to_text(*before.lock) != to_text(lock)) {
    refuse_new_lock(config);
  }
  const bool same =
      before.receipt && result.changes.empty() && before.receipt->config_digest == config.digest && is_intact(store);
  try {
    result.generation = same ? before.receipt->generation : writer.activate(std::move(receipt));
  } catch (...) {
    commit.take_back();
    throw;
  }
  failpoint("plugin.install.done");
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
  refuse_foreign(config, options, before);
  return install_now(config, options, store, writer, before);
}

}  // namespace vdk::plugin

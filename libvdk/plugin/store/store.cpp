// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/store.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "plugin/store/documents.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/archive.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_generations = "generations";
constexpr const char* k_current = "current";
constexpr const char* k_staging = ".staging";
constexpr const char* k_lock = ".lock";
constexpr std::size_t k_kept = 3;
constexpr auto k_poll = std::chrono::milliseconds(20);

std::optional<std::uint64_t> number_of(const std::string& name) {
  const auto number = text::parse_int(name);
  if (!number || *number < 1 || std::to_string(*number) != name) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

Error busy(const fs::path& root, const std::string& holder) {
  return {ErrorKind::conflict,
          {.what = "cannot change the plugins in '" + root.string() + "'",
           .why = holder.empty() ? "Another process is changing them." : "Process " + holder + " is changing them.",
           .consequences = "Nothing was changed.",
           .countermeasures = "Wait until it is done and try again."}};
}

/// Which generation `current` leads to; nothing before the first one.
std::optional<std::uint64_t> current_number(const fs::path& root) {
  const fs::path link = root / k_current;
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (error) {
    if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
      return std::nullopt;
    }
  } else if (target.parent_path() == k_generations) {
    if (const auto number = number_of(target.filename().string())) {
      return number;
    }
  }
  throw Error(ErrorKind::platform, {.what = "cannot use the plugins in '" + root.string() + "'",
                                    .why = "'" + link.string() + "' is not a link that vdk made.",
                                    .consequences = "No plugin of this folder is used and nothing was changed.",
                                    .countermeasures = "Move it away, then install or sync again."});
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw system_error("cannot create the folder '" + path.string() + "'", error.value(),
                       "Check the permissions of its parent.");
  }
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw system_error("cannot create '" + to.string() + "'", errno);
  }
}

/// Readers see the old generation or the new one: the link is made beside and renamed over.
void switch_to(const fs::path& root, std::uint64_t n) {
  const fs::path fresh = root / ".current.new";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  fs::create_directory_symlink(fs::path(k_generations) / std::to_string(n), fresh);
  failpoint("plugin.store.linked");
  rename_or_throw(fresh, root / k_current);
  failpoint("plugin.store.switched");
  files::sync_directory(root);
}

/// All but the newest ones and the current one leave at once: a generation is never there in part.
void remove_old(const Store& store, std::uint64_t current) {
  std::vector<std::uint64_t> all = store.generations();
  all.resize(all.size() - std::min(k_kept, all.size()));
  for (const std::uint64_t n : all) {
    if (n == current) {
      continue;
    }
    const fs::path grave = store.root() / k_staging / ("old." + random_hex(6));
    rename_or_throw(store.root() / k_generations / std::to_string(n), grave);
    failpoint("plugin.store.pruned");
    files::remove_tree(grave);
  }
}

std::string owner_of(const Receipt& receipt, const std::string& path) {
  for (const InstalledPlugin& plugin : receipt.plugins) {
    if (path == plugin.folder || path.starts_with(plugin.folder + "/")) {
      return plugin.name;
    }
  }
  return "";
}

}  // namespace

Store::Store(fs::path root) : m_root(fs::absolute(root).lexically_normal()) {
  if (!m_root.has_filename()) {
    m_root = m_root.parent_path();
  }
}

std::optional<fs::path> Store::current() const {
  constexpr int attempts = 5;  // a generation may leave between our look at the link and the look at what it leads to
  for (int i = 0; i < attempts; ++i) {
    const auto number = current_number(m_root);
    if (!number) {
      return std::nullopt;
    }
    fs::path folder = m_root / k_generations / std::to_string(*number);
    std::error_code error;
    if (fs::is_directory(folder, error)) {
      return folder;
    }
  }
  throw Error(ErrorKind::platform, {.what = "cannot use the plugins in '" + m_root.string() + "'",
                                    .why = "The generation that 'current' leads to is not there.",
                                    .consequences = "No plugin of this folder is used.",
                                    .countermeasures = "Install or sync again."});
}

std::optional<Receipt> Store::receipt() const {
  const auto folder = current();
  if (!folder) {
    return std::nullopt;
  }
  return receipt(number_of(folder->filename().string()).value_or(0));
}

std::optional<Receipt> Store::receipt(std::uint64_t n) const {
  const fs::path folder = m_root / k_generations / std::to_string(n);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return std::nullopt;
  }
  const fs::path file = folder / detail::k_receipt;
  return detail::parse_receipt(files::read_if_exists(file).value_or(""), file);
}

std::vector<std::uint64_t> Store::generations() const {
  std::vector<std::uint64_t> result;
  std::error_code error;
  for (fs::directory_iterator it(m_root / k_generations, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (const auto number = number_of(it->path().filename().string())) {
      result.push_back(*number);
    }
  }
  std::ranges::sort(result);
  return result;
}

Store::Writer Store::write(std::chrono::milliseconds wait) {
  make_folder(m_root);
  const fs::path lock = m_root / k_lock;
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (true) {
    if (auto held = files::FileLock::try_acquire(lock)) {
      std::ofstream(lock, std::ios::trunc) << getpid() << '\n';
      return {*this, std::move(*held)};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw busy(m_root, std::string(text::trim(files::read_if_exists(lock).value_or(""))));
    }
    std::this_thread::sleep_for(k_poll);
  }
}

Store::Writer::Writer(Store& store, files::FileLock lock) : m_store(&store), m_lock(std::move(lock)) {
  const fs::path parent = store.root() / k_staging;
  make_folder(parent);
  files::remove_content(parent);
  files::TemporaryDirectory folder(parent, "new");
  m_staging = folder.path();
  folder.keep();
  fs::permissions(m_staging, fs::perms(0755));
  failpoint("plugin.store.staged");
}

Store::Writer::Writer(Writer&& other) noexcept
    : m_store(other.m_store), m_lock(std::move(other.m_lock)), m_staging(std::exchange(other.m_staging, fs::path())) {}

Store::Writer::~Writer() {
  if (!m_staging.empty()) {
    files::remove_tree(m_staging);
  }
}

std::uint64_t Store::Writer::activate(Receipt receipt) {
  const fs::path& root = m_store->root();
  const std::vector<std::uint64_t> there = m_store->generations();
  receipt.generation = std::max(there.empty() ? 0 : there.back(), current_number(root).value_or(0)) + 1;
  if (receipt.created.empty()) {
    receipt.created = format_time(SystemClock().now());
  }
  if (receipt.vdk_version.empty()) {
    receipt.vdk_version = VDK_VERSION;
  }
  std::ranges::sort(receipt.plugins, {}, [](const InstalledPlugin& p) { return std::pair(p.name, p.version); });
  files::write_atomic(m_staging / detail::k_manifest, detail::to_json(detail::take_manifest(m_staging)));
  files::write_atomic(m_staging / detail::k_receipt, detail::to_json(receipt));
  failpoint("plugin.store.described");
  files::sync_tree(m_staging);
  make_folder(root / k_generations);
  rename_or_throw(m_staging, root / k_generations / std::to_string(receipt.generation));
  m_staging.clear();
  failpoint("plugin.store.renamed");
  files::sync_directory(root / k_generations);
  switch_to(root, receipt.generation);
  remove_old(*m_store, receipt.generation);
  return receipt.generation;
}

void Store::Writer::roll_back_to(std::uint64_t n) {
  if (!m_store->receipt(n)) {
    std::vector<std::string> there;
    for (const std::uint64_t number : m_store->generations()) {
      there.push_back(std::to_string(number));
    }
    throw Error(ErrorKind::not_found,
                {.what = "cannot go back to generation " + std::to_string(n),
                 .why = there.empty() ? "There is no generation in '" + m_store->root().string() + "'."
                                      : "There are only: " + text::join(there, ", ") + ".",
                 .consequences = "The current generation stays.",
                 .countermeasures = "Choose one that is there."});
  }
  switch_to(m_store->root(), n);
}

std::vector<Store::Drift> Store::verify() const {
  std::vector<Drift> drifts;
  const auto folder = current();
  if (!folder) {
    return drifts;
  }
  const Receipt told = receipt().value_or(Receipt{});
  const fs::path file = *folder / detail::k_manifest;
  const detail::Manifest expected = detail::parse_manifest(files::read_if_exists(file).value_or(""), file);
  const detail::Manifest found = detail::take_manifest(*folder);
  const auto report = [&](const std::string& what, const std::string& path) {
    drifts.push_back({owner_of(told, path), what + ": " + path});
  };
  for (const auto& [path, item] : expected) {
    const auto at = found.find(path);
    if (at == found.end()) {
      report("missing", path);
    } else if (at->second != item) {
      report("changed", path);
    }
  }
  for (const auto& [path, item] : found) {
    if (!expected.contains(path)) {
      report("extra", path);
    }
  }
  // Whoever changed a file and the list of files as well has not changed the receipt.
  for (const InstalledPlugin& plugin : told.plugins) {
    const bool known = std::ranges::any_of(drifts, [&](const Drift& drift) { return drift.plugin == plugin.name; });
    if (!known && !plugin.tree_sha256.empty() && tree_sha256(*folder / plugin.folder) != plugin.tree_sha256) {
      report("changed", plugin.folder);
    }
  }
  return drifts;
}

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <algorithm>

#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::hours k_stale{24};

void require_hash(std::string_view sha256) {
  const bool good = sha256.size() == 64 && sha256.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!good) {
    throw Error(ErrorKind::configuration, {.what = "'" + std::string(sha256.substr(0, 80)) + "' is no SHA-256 hash",
                                           .why = "it has to be 64 lower-case hexadecimal digits",
                                           .consequences = "The plugin cache was not looked at.",
                                           .countermeasures = "Correct it where it is written."});
  }
}

void make_folder(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    files::make_private_directory(folder);
  }
}

/// Files that two processes add or remove at the same time are not worth an error.
template <typename Visit>
void each_file(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    visit(it->path());
  }
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(path, error))) {
    const std::uintmax_t size = fs::file_size(path, error);
    return error ? 0 : size;
  }
  std::uint64_t sum = 0;
  for (auto it = fs::recursive_directory_iterator(path, error); !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    std::error_code ignored;
    sum += it->is_regular_file(ignored) ? it->file_size(ignored) : 0;
  }
  return sum;
}

}  // namespace

Cache::Cache(fs::path directory) : m_directory(std::move(directory)) {}

fs::path Cache::default_directory() {
  const auto given = process::environment("XDG_CACHE_HOME");
  const bool usable = given && fs::path(*given).is_absolute();
  return (usable ? fs::path(*given) : files::home_directory() / ".cache") / "vdk" / "plugins";
}

fs::path Cache::find(std::string_view sha256) {
  require_hash(sha256);
  const fs::path path = m_directory / "sha256" / sha256;
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error))) {
    return {};
  }
  try {
    if (sha256_file(path) == sha256) {
      return path;
    }
  } catch (const Error&) {  // unreadable, or another process removed it: as good as spoilt
  }
  fs::remove(path, error);
  return {};
}

fs::path Cache::put(const fs::path& file, std::string_view sha256) {
  require_hash(sha256);
  make_folder(m_directory);
  make_folder(m_directory / "sha256");
  const fs::path path = m_directory / "sha256" / sha256;
  std::error_code error;
  fs::rename(file, path, error);
  if (error == std::errc::cross_device_link) {
    const fs::path copy = scratch() / ("copy." + random_hex(8));
    fs::copy_file(file, copy, error);
    if (!error) {
      fs::rename(copy, path, error);
    }
    std::error_code ignored;
    fs::remove(error ? copy : file, ignored);
  }
  if (error) {
    throw system_error("cannot keep a file in the plugin cache '" + m_directory.string() + "'", error.value(),
                       "Check that the folder is writable and the disk not full, or set XDG_CACHE_HOME.");
  }
  // Never flushed on purpose: find() hashes again, so that a file torn by a power cut is noticed and fetched anew.
  return path;
}

fs::path Cache::scratch() const {
  make_folder(m_directory);
  make_folder(m_directory / "scratch");
  return m_directory / "scratch";
}

Cache::Pruned Cache::prune(const std::vector<std::string>& keep, bool dry_run) {
  Pruned pruned;
  const auto remove = [&](const fs::path& path) {
    const std::uint64_t bytes = size_of(path);
    if (dry_run || files::remove_tree(path)) {
      ++pruned.files;
      pruned.bytes += bytes;
    }
  };
  each_file(m_directory / "sha256", [&](const fs::path& path) {
    if (std::find(keep.begin(), keep.end(), path.filename().string()) == keep.end()) {
      remove(path);
    }
  });
  each_file(m_directory / "scratch", [&](const fs::path& path) {
    std::error_code error;
    const auto changed = fs::last_write_time(path, error);
    if (!error && fs::file_time_type::clock::now() - changed > k_stale) {
      remove(path);
    }
  });
  return pruned;
}

}  // namespace vdk::plugin

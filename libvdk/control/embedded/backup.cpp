// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/backup.hpp"

#include <cerrno>
#include <cstdio>
#include <map>

#include "control/embedded/database.hpp"
#include "control/embedded/sources.hpp"
#include "control/embedded/store_transfer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_database = "control.db";
constexpr const char* k_repository = "sources.git";
constexpr const char* k_key = "secret.key";

/// HOST:PATH and SCHEME://... as git reads them.
bool is_remote(const SourceOptions& sources) {
  const auto colon = sources.url.find(':');
  return colon != std::string::npos && sources.url.find('/') > colon;
}

bool has_commits(const fs::path& repository) {
  std::error_code ignored;
  const fs::path heads = repository / "refs" / "heads";
  return fs::exists(repository / "packed-refs", ignored) ||
         (fs::is_directory(heads, ignored) && !fs::is_empty(heads, ignored));
}

void read_references(const fs::path& repository, const fs::path& folder, std::map<fs::path, std::string>& result) {
  if (!fs::is_directory(folder)) {
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() != ".lock") {
      if (auto content = files::read_if_exists(entry.path())) {
        result.emplace(fs::relative(entry.path(), repository), std::move(*content));
      }
    }
  }
}

void copy_objects(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (entry.is_regular_file() && !entry.path().filename().string().starts_with("tmp_")) {
      fs::copy_file(entry.path(), target);
    }
  }
}

/// References first, then objects: objects are only ever added, so all that the references reach is there. A commit
/// that a row names is in the repository before the row is written, so the database is copied before this.
void copy_repository(const fs::path& from, const fs::path& to) {
  std::map<fs::path, std::string> references;
  for (const char* file : {"HEAD", "config", "packed-refs"}) {
    if (auto content = files::read_if_exists(from / file)) {
      references.emplace(file, std::move(*content));
    }
  }
  read_references(from, from / "refs", references);
  fs::create_directories(to / "refs" / "heads");
  fs::create_directories(to / "objects");
  copy_objects(from / "objects", to / "objects");
  for (const auto& [name, content] : references) {
    fs::create_directories((to / name).parent_path());
    files::write_atomic(to / name, content, 0600);
  }
}

void check_empty(const fs::path& directory) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(directory)) &&
      (!fs::is_directory(directory, ignored) || !fs::is_empty(directory, ignored))) {
    throw Error(ErrorKind::conflict,
                {"cannot write the backup to '" + directory.string() + "'", "the folder is not empty, or no folder",
                 "Nothing was written.", "Name a new folder, for example one with today's date."});
  }
}

[[noreturn]] void fail(const std::string& what, const fs::filesystem_error& problem) {
  throw Error(ErrorKind::platform, {what, problem.what(), "Nothing was stored.",
                                    "Check that the folders are readable and writable and that the disk has space."});
}

void rename_into_place(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw system_error("cannot move the finished copy to '" + to.string() + "'", errno,
                       "Name a folder that does not exist yet.");
  }
  files::sync_directory(to.parent_path());
}

}  // namespace

fs::path repository_path(const EmbeddedOptions& options) {
  return options.sources.url.empty() || is_remote(options.sources) ? options.home / k_repository
                                                                   : options.home / options.sources.url;
}

void backup(const EmbeddedOptions& options, const fs::path& directory, bool with_key) {
  fs::path place = fs::absolute(directory).lexically_normal();
  if (!place.has_filename()) {
    place = place.parent_path();
  }
  check_empty(place);
  if (!is_postgresql(options.database) && !fs::exists(options.home / k_database)) {
    throw Error(
        ErrorKind::not_found,
        {"cannot back up the service", "'" + options.home.string() + "' has no database yet", "Nothing was written.",
         "Check VDK_CONTROL_SERVICE_HOME, and database.url of the server's configuration."});
  }
  try {
    fs::create_directories(place.parent_path());
    files::TemporaryDirectory scratch(place.parent_path(), ".vdk-backup");
    {
      Store store(options.database, options.home);
      StoreTransfer(store).save(scratch.path());
    }
    fs::permissions(scratch.path() / k_database, fs::perms::owner_read | fs::perms::owner_write);
    const fs::path repository = repository_path(options);
    if (fs::exists(repository / "HEAD")) {
      copy_repository(repository, scratch.path() / k_repository);
    }
    if (const auto key = with_key ? files::read_if_exists(options.home / k_key) : std::nullopt) {
      files::write_atomic(scratch.path() / k_key, *key, 0600);
    }
    files::sync_tree(scratch.path());
    rename_into_place(scratch.path(), place);
    scratch.keep();
  } catch (const fs::filesystem_error& problem) {
    fail("cannot write the backup", problem);
  }
}

namespace {

/// What was put into the home so far; taken out again unless all of it worked.
class Placed {
 public:
  ~Placed() {
    for (const fs::path& path : m_paths) {
      files::remove_tree(path);
    }
  }
  Placed() = default;
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;
  void add(const fs::path& path) { m_paths.push_back(path); }
  void keep() { m_paths.clear(); }

 private:
  std::vector<fs::path> m_paths;
};

void place_key(const EmbeddedOptions& options, const fs::path& directory, Placed& placed) {
  const auto saved = files::read_if_exists(directory / k_key);
  if (!saved) {
    return;
  }
  const auto present = files::read_if_exists(options.home / k_key);
  if (present && *present != *saved) {
    throw Error(ErrorKind::conflict,
                {"cannot load the backup", "this home has another key for secrets than the backup",
                 "Nothing was changed.", "Load the backup into a new home, or move the file secret.key away."});
  }
  if (!present) {
    placed.add(options.home / k_key);
    files::write_atomic(options.home / k_key, *saved, 0600);
  }
}

void place_sources(const EmbeddedOptions& options, const fs::path& directory, const fs::path& scratch, Placed& placed) {
  const fs::path repository = repository_path(options);
  if (!fs::exists(directory / k_repository / "HEAD") || is_remote(options.sources)) {
    return;
  }
  if (has_commits(repository)) {
    if (!options.sources.url.empty()) {
      return;  // it is shared and has a life of its own
    }
    throw Error(ErrorKind::conflict, {"cannot load the backup", "this home has sources of jobs already",
                                      "Nothing was changed.", "Load a backup into a new home."});
  }
  copy_repository(directory / k_repository, scratch / k_repository);
  files::sync_tree(scratch / k_repository);
  files::remove_tree(repository);
  placed.add(repository);
  fs::create_directories(repository.parent_path());
  rename_into_place(scratch / k_repository, repository);
}

}  // namespace

void load_backup(const EmbeddedOptions& options, const fs::path& directory) {
  if (!fs::exists(directory / k_database)) {
    throw Error(ErrorKind::not_found, {"cannot load '" + directory.string() + "'",
                                       "it is no backup: it has no file " + std::string(k_database),
                                       "Nothing was changed.", "Name a folder that `vdk server backup` wrote."});
  }
  files::make_private_directory(options.home);
  files::make_private_directory(options.home / "tmp");
  try {
    const files::TemporaryDirectory scratch(options.home / "tmp", "load");
    // A backup of an older vdk is brought up to date on a copy.
    fs::copy_file(directory / k_database, scratch.path() / k_database);
    fs::permissions(scratch.path() / k_database, fs::perms::owner_read | fs::perms::owner_write);
    Store saved({}, scratch.path());
    Store store(options.database, options.home);
    Placed placed;
    place_key(options, directory, placed);
    place_sources(options, directory, scratch.path(), placed);
    StoreTransfer(store).load(saved);
    placed.keep();
  } catch (const fs::filesystem_error& problem) {
    fail("cannot load the backup", problem);
  }
}

}  // namespace vdk::control

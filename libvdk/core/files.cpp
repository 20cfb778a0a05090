// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/files.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/new_tree.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"

namespace vdk::files {

namespace fs = std::filesystem;

namespace {

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw system_error("cannot write " + quoted(path), errno, "Check that the disk is not full and is writable.");
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::optional<std::string> read_if_exists(const fs::path& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    throw system_error("cannot open " + quoted(path), errno, "Check the path and its permissions.");
  }
  std::string content;
  struct stat info {};
  if (fstat(fd.get(), &info) == 0 && info.st_size > 0) {
    content.reserve(static_cast<std::size_t>(info.st_size) + 1);
  }
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw system_error("cannot read " + quoted(path), errno, "Check that it is a readable file.");
    }
    if (got == 0) {
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string read(const fs::path& path) {
  auto content = read_if_exists(path);
  if (!content) {
    throw Error(ErrorKind::not_found, {.what = "cannot open " + quoted(path),
                                       .why = "there is no such file",
                                       .consequences = "The operation was not carried out.",
                                       .countermeasures = "Check the path."});
  }
  return *std::move(content);
}

void write_atomic(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path temporary = parent / ("." + path.filename().string() + "." + random_hex(6) + ".tmp");
  {
    const Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (fd.get() < 0) {
      throw system_error("cannot create " + quoted(temporary), errno, "Check that the folder exists and is writable.");
    }
    try {
      fchmod(fd.get(), mode);  // whatever the umask says
      write_all(fd.get(), content, path);
      if (fsync(fd.get()) != 0) {
        throw system_error("cannot write " + quoted(path), errno, "Check the disk.");
      }
    } catch (...) {
      unlink(temporary.c_str());
      throw;
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    unlink(temporary.c_str());
    throw system_error("cannot replace " + quoted(path), number);
  }
  sync_directory(parent);
}

void make_private_directory(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
  }
  if (mkdir(path.c_str(), 0700) != 0 && (errno != EEXIST || !fs::is_directory(path))) {
    throw system_error("cannot create the folder " + quoted(path), errno, "Check the permissions of its parent.");
  }
}

void sync_directory(const fs::path& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems refuse fsync of a folder; nothing better can be done there.
  if (fd.get() >= 0) {
    fsync(fd.get());
  }
}

void sync_tree(const fs::path& path) {
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_symlink()) {
      continue;
    }
    if (entry.is_directory()) {
      sync_directory(entry.path());
    } else if (entry.is_regular_file()) {
      const Descriptor fd(open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.get() < 0 || fsync(fd.get()) != 0) {
        throw system_error("cannot write " + quoted(entry.path()) + " to the disk", errno);
      }
    }
  }
  sync_directory(path);
}

bool remove_tree(const fs::path& path) noexcept {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    try {
      for (auto it = fs::recursive_directory_iterator(path, error); !error && it != fs::recursive_directory_iterator();
           it.increment(error)) {
        if (it->is_directory() && !it->is_symlink()) {
          fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, error);
        }
      }
    } catch (...) {
      return false;
    }
    fs::remove_all(path, error);
  }
  return !error;
}

void remove_content(const fs::path& folder) noexcept {
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    remove_tree(it->path());
  }
}

TemporaryDirectory::TemporaryDirectory(const fs::path& parent, std::string_view prefix) {
  const fs::path base = parent.empty() ? fs::temp_directory_path() : parent;
  std::string pattern = (base / (std::string(prefix) + ".XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw system_error("cannot create a temporary folder in " + quoted(base), errno,
                       "Check that the folder exists and is writable.");
  }
  m_path = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!m_path.empty()) {
    remove_tree(m_path);
  }
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : m_path(std::exchange(other.m_path, fs::path{})) {}

namespace {

int open_lock(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    throw system_error("cannot open the lock " + quoted(path), errno, "Check that its folder exists and is writable.");
  }
  return fd;
}

}  // namespace

FileLock FileLock::acquire(const fs::path& path) {
  FileLock lock(open_lock(path));
  while (flock(lock.m_fd, LOCK_EX) != 0) {
    if (errno != EINTR) {
      throw system_error("cannot lock " + quoted(path), errno);
    }
  }
  return lock;
}

std::optional<FileLock> FileLock::try_acquire(const fs::path& path) {
  FileLock lock(open_lock(path));
  while (flock(lock.m_fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::nullopt;
    }
    if (errno != EINTR) {
      throw system_error("cannot lock " + quoted(path), errno);
    }
  }
  return lock;
}

bool FileLock::is_held(const fs::path& path) {
  const Descriptor fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  // A shared try: two processes that ask at the same time do not see each other as the holder.
  return fd.get() >= 0 && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock::FileLock(FileLock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    if (m_fd >= 0) {
      close(m_fd);
    }
    m_fd = std::exchange(other.m_fd, -1);
  }
  return *this;
}

FileLock::~FileLock() {
  if (m_fd >= 0) {
    close(m_fd);
  }
}

fs::path home_directory() {
  if (const auto home = process::environment("HOME"); home && !home->empty()) {
    return *home;
  }
  const passwd* entry = getpwuid(getuid());
  if (entry == nullptr || entry->pw_dir == nullptr) {
    throw Error(ErrorKind::configuration, {.what = "cannot find the home folder",
                                           .why = "HOME is not set and the user has no password entry",
                                           .consequences = "vdk does not know where to keep its files.",
                                           .countermeasures = "Set HOME."});
  }
  return entry->pw_dir;
}

fs::path executable() { return fs::read_symlink("/proc/self/exe"); }

fs::path share_directory() {
  if (const auto given = process::environment("VDK_SHARE_DIR"); given && !given->empty()) {
    return *given;
  }
  const fs::path binary = executable();
  std::error_code error;
  // A binary inside its build folder uses the source tree; an installed one what lies beside it.
  const fs::path build = fs::weakly_canonical(VDK_BUILD_DIR, error);
  const std::string inside = binary.lexically_relative(build).string();
  if (!inside.empty() && !inside.starts_with("..") && fs::exists(VDK_SOURCE_DIR "/plugins", error)) {
    return VDK_SOURCE_DIR;
  }
  return binary.parent_path().parent_path() / "share" / "vdk";
}

}  // namespace vdk::files

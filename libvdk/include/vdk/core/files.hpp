// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vdk::files {

/// The whole file as bytes. Throws Error (not_found or operation) that names the path.
[[nodiscard]] std::string read(const std::filesystem::path& path);
[[nodiscard]] std::optional<std::string> read_if_exists(const std::filesystem::path& path);

/// Replace `path` by `content`: temporary file beside it, fsync, rename, fsync of the folder.
/// A reader sees the old or the new content, never a part; the same holds after a crash.
void write_atomic(const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);

/// Create the folder and its parents; the last one with mode 0700.
void make_private_directory(const std::filesystem::path& path);

/// fsync of a folder, so that renames and new names in it survive a power cut.
void sync_directory(const std::filesystem::path& path);
/// fsync of every regular file and folder below `path`.
void sync_tree(const std::filesystem::path& path);

/// remove_all that also manages read-only folders; missing is fine; false when something is left.
bool remove_tree(const std::filesystem::path& path) noexcept;
/// The same for everything in a folder that itself stays.
void remove_content(const std::filesystem::path& folder) noexcept;

/// A new private folder `PARENT/PREFIX.XXXXXX`, removed with its content at destruction.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::filesystem::path& parent = {}, std::string_view prefix = "vdk");
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return m_path; }
  void keep() noexcept { m_path.clear(); }  ///< the folder stays (it was renamed, or is wanted)

 private:
  std::filesystem::path m_path;
};

/// Exclusive flock on a file, released at destruction or by the kernel when the process dies.
class FileLock {
 public:
  /// Waits until it has the lock.
  [[nodiscard]] static FileLock acquire(const std::filesystem::path& path);
  /// Nothing when somebody else holds it. The file is created (0600) when missing and left behind.
  [[nodiscard]] static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
  /// True while some process holds the lock; a missing file is not locked.
  [[nodiscard]] static bool is_held(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : m_fd(fd) {}
  int m_fd = -1;
};

/// $HOME, else the password entry.
[[nodiscard]] std::filesystem::path home_directory();
/// Absolute path of the running vdk executable.
[[nodiscard]] std::filesystem::path executable();
/// Folder of the data that ships with vdk (SDK, templates): `VDK_SHARE_DIR`, else `../share/vdk` beside
/// the executable, else the source tree that a development build was configured from.
[[nodiscard]] std::filesystem::path share_directory();

}  // namespace vdk::files

// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "job/entry_name.hpp"
#include "vdk/core/files.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::job {
namespace {

namespace fs = std::filesystem;
using detail::archive_error;
using detail::printable;
using detail::ZipEntry;

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;

void check_names_and_types(const std::vector<ZipEntry>& entries) {
  detail::EntryNames names;
  for (const ZipEntry& entry : entries) {
    if (!is_safe_entry_name(entry.name)) {
      throw archive_error(
          "The entry '" + printable(entry.name) +
          "' has an unsafe name: absolute, with '..', a backslash, a drive letter or unprintable bytes.");
    }
    const std::uint32_t type = entry.unix_mode & static_cast<std::uint32_t>(S_IFMT);
    const std::uint32_t wanted = entry.is_folder() ? S_IFDIR : S_IFREG;
    if (type != 0 && type != wanted) {
      throw archive_error("The entry '" + printable(entry.name) +
                          "' is a link, a device or something else than a plain "
                          "file or folder.");
    }
    const std::string problem = names.add(entry.name);
    if (!problem.empty()) {
      throw archive_error("The entry '" + printable(entry.name) + "' " + problem + ".");
    }
  }
}

/// Counts what is really produced.
class Budget {
 public:
  explicit Budget(const ArchiveLimits& limits) : m_limits(limits) {}

  void start_entry(const ZipEntry& entry) {
    m_entry = &entry;
    m_file = 0;
    m_packed += entry.packed;
    check(entry.size, m_total + entry.size);  // an honest archive is refused before anything is produced
  }

  void add(std::uint64_t bytes) {
    m_file += bytes;
    m_total += bytes;
    check(m_file, m_total);
    constexpr std::uint64_t small = 1ULL << 20U;
    const bool file_ratio = m_file >= small && m_file / m_limits.ratio > std::max<std::uint64_t>(m_entry->packed, 1);
    if (file_ratio || (m_total >= small && m_total / m_limits.ratio > std::max<std::uint64_t>(m_packed, 1))) {
      throw archive_error("The entry '" + printable(m_entry->name) + "' grows to more than " +
                          std::to_string(m_limits.ratio) + " times its packed size.");
    }
  }

 private:
  void check(std::uint64_t file, std::uint64_t total) const {
    if (file > m_limits.file_bytes) {
      throw archive_error("The entry '" + printable(m_entry->name) + "' is larger than " +
                          std::to_string(m_limits.file_bytes) + " bytes.");
    }
    if (total > m_limits.total_bytes) {
      throw archive_error("With the entry '" + printable(m_entry->name) + "' the job is larger than " +
                          std::to_string(m_limits.total_bytes) + " bytes.");
    }
  }

  const ArchiveLimits& m_limits;
  const ZipEntry* m_entry = nullptr;
  std::uint64_t m_file = 0;
  std::uint64_t m_total = 0;
  std::uint64_t m_packed = 0;
};

/// A new file, closed at the end.
class NewFile {
 public:
  NewFile(const fs::path& path, bool executable)
      : m_path(path),
        m_fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, executable ? 0755 : 0644)) {
    if (m_fd < 0) {
      throw system_error("cannot create '" + path.string() + "'", errno);
    }
  }
  ~NewFile() { close(m_fd); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(m_fd, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) {
        throw system_error("cannot write '" + m_path.string() + "'", errno);
      }
      bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
  }

 private:
  fs::path m_path;
  int m_fd;
};

[[noreturn]] void refuse_content(const Reader& reader, const ZipEntry& entry) {
  const char* text = archive_error_string(reader.get());
  throw archive_error("The entry '" + printable(entry.name) + "' is damaged: " + (text == nullptr ? "unknown" : text) +
                      ".");
}

void write_content(const Reader& reader, const ZipEntry& entry, const fs::path& path, Budget& budget) {
  const NewFile file(path, (entry.unix_mode & 0111U) != 0);
  std::array<char, 65536> buffer{};
  std::uint64_t produced = 0;
  while (true) {
    const la_ssize_t count = archive_read_data(reader.get(), buffer.data(), buffer.size());
    if (count < 0) {
      refuse_content(reader, entry);
    }
    if (count == 0) {
      break;
    }
    produced += static_cast<std::uint64_t>(count);
    budget.add(static_cast<std::uint64_t>(count));
    file.write({buffer.data(), static_cast<std::size_t>(count)});
  }
  if (produced != entry.size) {
    throw archive_error("The entry '" + printable(entry.name) + "' is not as long as the archive says.");
  }
}

/// The sender's version control is no part of a job, and could take over a repository that the job is stored in.
bool is_left_out(const ZipEntry& entry) {
  const std::string path = "/" + entry.name + (entry.is_folder() ? "" : "/");
  return path.find("/.git/") != std::string::npos;
}

void unpack_entry(const Reader& reader, const ZipEntry& entry, const fs::path& staging, Budget& budget) {
  archive_entry* header = nullptr;
  const int result = archive_read_next_header(reader.get(), &header);
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
    refuse_content(reader, entry);
  }
  const char* name = archive_entry_pathname(header);
  const auto type = archive_entry_filetype(header);
  if (name == nullptr || name != entry.name || archive_entry_hardlink(header) != nullptr ||
      type != (entry.is_folder() ? AE_IFDIR : AE_IFREG)) {
    throw archive_error("The entry '" + printable(entry.name) + "' is described in two different ways.");
  }
  budget.start_entry(entry);
  if (is_left_out(entry)) {
    return;
  }
  const fs::path path = staging / entry.name;
  if (entry.is_folder()) {
    fs::create_directories(path.parent_path());
    return;
  }
  fs::create_directories(path.parent_path());
  write_content(reader, entry, path, budget);
}

Reader open_zip(std::string_view zip) {
  Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK) {
    const char* text = archive_error_string(reader.get());
    throw archive_error(std::string("It cannot be read: ") + (text == nullptr ? "unknown" : text) + ".");
  }
  return reader;
}

std::string job_folder(const std::vector<ZipEntry>& entries) {
  for (const ZipEntry& entry : entries) {
    const std::size_t slash = entry.name.find('/');
    if (slash != std::string::npos && !is_left_out(entry)) {
      return entry.name.substr(0, slash);
    }
  }
  throw archive_error("It has no folder at its top; the job's files must lie in one.");
}

void check_destination(const fs::path& destination) {
  std::error_code error;
  const bool exists = fs::exists(fs::symlink_status(destination, error));
  if (exists && (!fs::is_directory(destination, error) || !fs::is_empty(destination, error))) {
    throw Error(ErrorKind::conflict,
                {"cannot unpack into '" + destination.string() + "'", "The path exists and is not an empty folder.",
                 "Nothing was unpacked.", "Choose another place or remove what is there."});
  }
}

}  // namespace

fs::path unpack(std::string_view zip, const fs::path& destination, const ArchiveLimits& limits) {
  const std::vector<ZipEntry> entries = detail::read_zip_directory(zip, limits.entries);
  check_names_and_types(entries);
  const std::string folder = job_folder(entries);
  const fs::path target = fs::absolute(destination).lexically_normal();
  const fs::path place = target.has_filename() ? target : target.parent_path();
  check_destination(place);
  fs::create_directories(place.parent_path());
  files::TemporaryDirectory staging(place.parent_path(), ".unpack");
  const detail::Utf8Locale locale;
  const Reader reader = open_zip(zip);
  Budget budget(limits);
  for (const ZipEntry& entry : entries) {
    unpack_entry(reader, entry, staging.path(), budget);
  }
  if (std::rename(staging.path().c_str(), place.c_str()) != 0) {
    throw system_error("cannot unpack into '" + place.string() + "'", errno);
  }
  staging.keep();
  return place / folder;
}

}  // namespace vdk::job

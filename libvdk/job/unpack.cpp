// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "core/new_tree.hpp"
#include "job/entry_name.hpp"
#include "vdk/core/files.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::job {
namespace {

namespace fs = std::filesystem;
using detail::archive_error;
using detail::printable;
using detail::ZipEntry;

void check_names_and_types(const std::vector<ZipEntry>& entries) {
  detail::EntryNames names;
  for (const ZipEntry& entry : entries) {
    if (!is_safe_entry_name(entry.name)) {
      throw archive_error(
          "The entry '" + printable(entry.name) +
          "' has an unsafe name: absolute, with '..', a backslash, a drive letter or unprintable bytes.");
    }
    if (entry.type() != (entry.is_folder() ? S_IFDIR : S_IFREG)) {
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

/// The sender's version control is no part of a job, and could take over a repository that the job is stored in.
bool is_left_out(const ZipEntry& entry) {
  const std::string path = "/" + entry.name + (entry.is_folder() ? "" : "/");
  return path.find("/.git/") != std::string::npos;
}

/// Puts a job's files below a folder.
class JobFiles : public detail::ZipVisitor {
 public:
  JobFiles(const fs::path& staging, const ArchiveLimits& limits) : m_tree(staging), m_budget(limits) {}

  bool begin(const ZipEntry& entry) override {
    m_budget.start_entry(entry);
    if (is_left_out(entry)) {
      return false;
    }
    const std::size_t slash = entry.name.rfind('/');
    if (slash != std::string::npos) {
      m_tree.folder(std::string_view(entry.name).substr(0, slash));
    }
    if (!entry.is_folder()) {
      m_file.emplace(m_tree.file(entry.name, (entry.unix_mode & 0111U) != 0));
    }
    return true;
  }

  void content(std::string_view bytes) override {
    m_budget.add(bytes.size());
    m_file->write(bytes);
  }

 private:
  files::NewTree m_tree;
  std::optional<files::NewTree::File> m_file;
  Budget m_budget;
};

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
  JobFiles sink(staging.path(), limits);
  detail::read_zip(zip, entries, sink);
  if (std::rename(staging.path().c_str(), place.c_str()) != 0) {
    throw system_error("cannot unpack into '" + place.string() + "'", errno);
  }
  staging.keep();
  return place / folder;
}

}  // namespace vdk::job

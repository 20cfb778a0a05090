// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk::job::detail {

/// Remembers the names of an archive and says why a further one cannot stand beside them.
class EntryNames {
 public:
  /// Empty when the name is fine. A final slash makes it a folder; folders that others lie in need no entry of their
  /// own.
  [[nodiscard]] std::string add(std::string_view name);

 private:
  struct Seen {
    std::string spelling;
    bool folder = false;
    bool own_entry = false;
  };
  [[nodiscard]] std::string add_part(std::string_view path, bool folder, bool own_entry);
  std::map<std::string, Seen> m_seen;  ///< by path in lower case
};

/// What the central directory of a zip says about one entry; checked against the local header.
struct ZipEntry {
  std::string name;
  std::uint64_t local_offset = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint32_t unix_mode = 0;  ///< 0 = the archive says nothing

  [[nodiscard]] bool is_folder() const { return name.ends_with('/'); }
  /// What the mode says: S_IFREG, S_IFDIR, S_IFLNK ...; by the name when the archive says nothing.
  [[nodiscard]] std::uint32_t type() const noexcept;
};

/// Reads and checks the structure of a zip: one way to read it, no overlaps, no hidden parts. In the order of the data.
[[nodiscard]] std::vector<ZipEntry> read_zip_directory(std::string_view zip, std::uint64_t most_entries);

/// Is given what lies in a zip, entry by entry.
class ZipVisitor {
 public:
  virtual ~ZipVisitor() = default;
  /// False = the content is not wanted.
  virtual bool begin(const ZipEntry& entry) = 0;
  virtual void content(std::string_view bytes) = 0;
  virtual void link(const ZipEntry& /*entry*/, const std::string& /*target*/) {}
};
/// Reads the entries, which `read_zip_directory` gave for the same bytes; libarchive must see the same in them.
void read_zip(std::string_view zip, const std::vector<ZipEntry>& entries, ZipVisitor& visitor);

/// What goes into a zip.
struct PackItem {
  std::string name;  ///< in the archive; folders end with a slash
  std::filesystem::path path;
  bool executable = false;
};
/// A zip of the items in their order, with fixed times and modes: equal items give equal bytes.
[[nodiscard]] std::string write_zip(const std::vector<PackItem>& items);

[[nodiscard]] Error archive_error(std::string why);
/// The name as it may be shown: what is not printable becomes \xHH.
[[nodiscard]] std::string printable(std::string_view name);

/// libarchive converts names by the locale of the thread; while this lives they are UTF-8 and stay bytes as they are.
class Utf8Locale {
 public:
  Utf8Locale();
  ~Utf8Locale();
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  void* m_own = nullptr;
  void* m_before = nullptr;
};

}  // namespace vdk::job::detail

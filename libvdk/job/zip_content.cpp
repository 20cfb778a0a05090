// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <array>

#include "core/libarchive.hpp"
#include "job/entry_name.hpp"

namespace vdk::job::detail {
namespace {

using namespace libarchive;

[[noreturn]] void refuse_content(const Reader& reader, const ZipEntry& entry) {
  const char* text = archive_error_string(reader.get());
  throw archive_error("The entry '" + printable(entry.name) + "' is damaged: " + (text == nullptr ? "unknown" : text) +
                      ".");
}

Reader open_zip(std::string_view zip) {
  Reader reader = make_reader();
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK) {
    const char* text = archive_error_string(reader.get());
    throw archive_error(std::string("It cannot be read: ") + (text == nullptr ? "unknown" : text) + ".");
  }
  return reader;
}

archive_entry* next_header(const Reader& reader, const ZipEntry& entry) {
  archive_entry* header = nullptr;
  const int result = archive_read_next_header(reader.get(), &header);
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
    refuse_content(reader, entry);
  }
  const char* name = archive_entry_pathname(header);
  if (name == nullptr || name != entry.name || archive_entry_hardlink(header) != nullptr ||
      archive_entry_filetype(header) != entry.type()) {
    throw archive_error("The entry '" + printable(entry.name) + "' is described in two different ways.");
  }
  return header;
}

void read_content(const Reader& reader, const ZipEntry& entry, ZipVisitor& visitor) {
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
    visitor.content({buffer.data(), static_cast<std::size_t>(count)});
  }
  if (produced != entry.size) {
    throw archive_error("The entry '" + printable(entry.name) + "' is not as long as the archive says.");
  }
}

}  // namespace

std::uint32_t ZipEntry::type() const noexcept {
  const std::uint32_t told = unix_mode & static_cast<std::uint32_t>(S_IFMT);
  if (told != 0) {
    return told;
  }
  return is_folder() ? S_IFDIR : S_IFREG;
}

void read_zip(std::string_view zip, const std::vector<ZipEntry>& entries, ZipVisitor& visitor) {
  const Utf8Locale locale;
  const Reader reader = open_zip(zip);
  for (const ZipEntry& entry : entries) {
    archive_entry* header = next_header(reader, entry);
    if (!visitor.begin(entry)) {
      continue;
    }
    if (entry.type() == S_IFLNK) {
      const char* target = archive_entry_symlink(header);
      visitor.link(entry, target == nullptr ? "" : target);
    } else if (!entry.is_folder()) {
      read_content(reader, entry, visitor);
    }
  }
}

}  // namespace vdk::job::detail

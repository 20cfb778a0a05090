// SPDX-License-Identifier: Apache-2.0
// A zip can say different things at its two ends. We read both, and take it only when they agree.
#include <algorithm>

#include "job/entry_name.hpp"

namespace vdk::job::detail {
namespace {

constexpr std::size_t end_size = 22;
constexpr std::size_t central_size = 46;
constexpr std::size_t local_size = 30;
constexpr std::uint64_t longest_descriptor = 24;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint32_t two(std::string_view bytes, std::size_t at) { return number(bytes, at, 2); }
std::uint32_t four(std::string_view bytes, std::size_t at) { return number(bytes, at, 4); }

bool has_mark(std::string_view bytes, std::size_t at, std::string_view mark) {
  return at <= bytes.size() && bytes.substr(at, 4) == mark;
}

std::size_t find_end(std::string_view zip) {
  const std::size_t furthest = zip.size() > end_size + 0xFFFFU ? zip.size() - end_size - 0xFFFFU : 0;
  for (std::size_t at = zip.size() < end_size ? 0 : zip.size() - end_size + 1; at-- > furthest;) {
    if (has_mark(zip, at, "PK\x05\x06") && at + end_size + two(zip, at + 20) == zip.size()) {
      return at;
    }
  }
  throw archive_error("It is not a complete zip file.");
}

void check_method(const ZipEntry& entry, std::uint32_t flags, std::uint32_t method) {
  if ((flags & 1U) != 0) {
    throw archive_error("The entry '" + printable(entry.name) + "' is encrypted.");
  }
  if (method != 0 && method != 8) {
    throw archive_error("The entry '" + printable(entry.name) + "' is compressed by another method than deflate.");
  }
}

/// One record of the central directory; moves `at` behind it.
ZipEntry read_central(std::string_view zip, std::size_t end, std::size_t& at) {
  if (at + central_size > end || !has_mark(zip, at, "PK\x01\x02")) {
    throw archive_error("Its directory is damaged.");
  }
  const std::size_t name_size = two(zip, at + 28);
  const std::size_t next = at + central_size + name_size + two(zip, at + 30) + two(zip, at + 32);
  if (next > end) {
    throw archive_error("Its directory is damaged.");
  }
  ZipEntry entry;
  entry.name = zip.substr(at + central_size, name_size);
  entry.packed = four(zip, at + 20);
  entry.size = four(zip, at + 24);
  entry.local_offset = four(zip, at + 42);
  constexpr std::uint32_t made_by_unix = 3;
  entry.unix_mode = two(zip, at + 4) >> 8U == made_by_unix ? four(zip, at + 38) >> 16U : 0;
  if (entry.packed == 0xFFFFFFFFU || entry.size == 0xFFFFFFFFU || entry.local_offset == 0xFFFFFFFFU) {
    throw archive_error("The entry '" + printable(entry.name) + "' is larger than a plain zip can hold.");
  }
  check_method(entry, two(zip, at + 8), two(zip, at + 10));
  at = next;
  return entry;
}

/// The local header must tell the same; returns where the entry's data ends.
std::uint64_t check_local(std::string_view zip, std::uint64_t central_offset, const ZipEntry& entry) {
  const auto at = static_cast<std::size_t>(entry.local_offset);
  if (at + local_size > central_offset || !has_mark(zip, at, "PK\x03\x04")) {
    throw archive_error("The entry '" + printable(entry.name) + "' lies outside of the archive.");
  }
  const std::size_t name_size = two(zip, at + 26);
  const std::uint64_t data = at + local_size + name_size + two(zip, at + 28);
  if (data + entry.packed > central_offset) {
    throw archive_error("The entry '" + printable(entry.name) + "' lies outside of the archive.");
  }
  const std::string_view name = zip.substr(at + local_size, name_size);
  if (name != entry.name) {
    throw archive_error("The entry '" + printable(entry.name) + "' is called '" + printable(name) +
                        "' at another place of the archive.");
  }
  check_method(entry, two(zip, at + 6), two(zip, at + 8));
  const bool sizes_follow = (two(zip, at + 6) & 8U) != 0;
  if (!sizes_follow && (four(zip, at + 18) != entry.packed || four(zip, at + 22) != entry.size)) {
    throw archive_error("The entry '" + printable(entry.name) + "' has two different sizes.");
  }
  return data + entry.packed;
}

void check_layout(std::string_view zip, std::uint64_t central_offset, const std::vector<ZipEntry>& entries) {
  std::uint64_t end_of_last = 0;
  bool first = true;
  for (const ZipEntry& entry : entries) {
    const bool overlaps = entry.local_offset < end_of_last;
    const bool gap = entry.local_offset > end_of_last + (first ? 0 : longest_descriptor);
    if (overlaps || gap) {
      throw archive_error("The entry '" + printable(entry.name) +
                          (overlaps ? "' overlaps another one." : "' stands after bytes that belong to no entry."));
    }
    end_of_last = check_local(zip, central_offset, entry);
    first = false;
  }
  if (central_offset > end_of_last + (first ? 0 : longest_descriptor)) {
    throw archive_error("It has bytes that belong to no entry before its directory.");
  }
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(std::string_view zip, std::uint64_t most_entries) {
  const std::size_t end = find_end(zip);
  const std::uint64_t count = two(zip, end + 10);
  const std::uint64_t size = four(zip, end + 12);
  const std::uint64_t offset = four(zip, end + 16);
  if (two(zip, end + 4) != 0 || two(zip, end + 6) != 0 || two(zip, end + 8) != count || offset + size != end) {
    throw archive_error("Its directory is not where the end of the file says, or it has several parts.");
  }
  if (count > most_entries) {
    throw archive_error("It has " + std::to_string(count) + " entries, more than " + std::to_string(most_entries) +
                        ".");
  }
  std::vector<ZipEntry> entries;
  auto at = static_cast<std::size_t>(offset);
  for (std::uint64_t i = 0; i < count; ++i) {
    entries.push_back(read_central(zip, end, at));
  }
  if (at != end) {
    throw archive_error("Its directory has more entries than it says.");
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const ZipEntry& a, const ZipEntry& b) { return a.local_offset < b.local_offset; });
  check_layout(zip, offset, entries);
  return entries;
}

}  // namespace vdk::job::detail

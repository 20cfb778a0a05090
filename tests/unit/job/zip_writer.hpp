// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>

namespace vdk::test {

/// One stored entry, with the lies that a hostile archive may tell.
struct ZipItem {
  std::string name;
  std::string content;
  unsigned mode = 0100644;
  std::optional<std::string> local_name = std::nullopt;        ///< another name in the local header
  std::optional<std::uint32_t> directory_size = std::nullopt;  ///< another size in the directory
  bool in_directory = true;
};

/// Writes zips byte by byte, since no library writes the ones we must refuse.
class ZipWriter {
 public:
  void add(const ZipItem& item) {
    const auto offset = static_cast<std::uint32_t>(m_data.size());
    const std::string& local = item.local_name ? *item.local_name : item.name;
    const auto size = static_cast<std::uint32_t>(item.content.size());
    const auto checksum = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const unsigned char*>(item.content.data()), static_cast<uInt>(size)));
    m_data += "PK\x03\x04";
    common(m_data, checksum, size, size, local);
    m_data += local + item.content;
    if (!item.in_directory) {
      return;
    }
    const std::uint32_t told = item.directory_size.value_or(size);
    m_directory += "PK\x01\x02";
    put(m_directory, 0x0314, 2);
    common(m_directory, checksum, told, told, item.name);
    put(m_directory, 0, 6);
    put(m_directory, static_cast<std::uint64_t>(item.mode) << 16U, 4);
    put(m_directory, offset, 4);
    m_directory += item.name;
    ++m_count;
  }

  [[nodiscard]] std::string finish() const {
    std::string end = "PK\x05\x06";
    put(end, 0, 4);
    put(end, m_count, 2);
    put(end, m_count, 2);
    put(end, m_directory.size(), 4);
    put(end, m_data.size(), 4);
    put(end, 0, 2);
    return m_data + m_directory + end;
  }

 private:
  static void put(std::string& target, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      target += static_cast<char>((value >> (8 * i)) & 0xFFU);
    }
  }
  /// From "version needed" to "extra length", the part that both headers share.
  static void common(std::string& target, std::uint32_t checksum, std::uint32_t packed, std::uint32_t size,
                     const std::string& name) {
    put(target, 20, 2);
    put(target, 0x0800, 2);
    put(target, 0, 2);
    put(target, 0x00210000, 4);
    put(target, checksum, 4);
    put(target, packed, 4);
    put(target, size, 4);
    put(target, name.size(), 2);
    put(target, 0, 2);
  }

  std::string m_data;
  std::string m_directory;
  std::uint64_t m_count = 0;
};

}  // namespace vdk::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace vdk::test {

/// One tar entry, with what honest tools do not write.
struct TarItem {
  std::string name;
  std::string content;
  char type = '0';  ///< 0 file, 1 hard link, 2 symbolic link, 3 4 devices, 5 folder, 6 pipe, x pax header, S sparse
  std::string link;
  unsigned mode = 0644;
};

/// Writes tars block by block, since no library writes the ones that must be refused.
class TarWriter {
 public:
  TarWriter& add(const TarItem& item) {
    std::string block(512, '\0');
    put(block, 0, item.name.substr(0, 100));
    put(block, 100, octal(item.mode, 7));
    put(block, 108, octal(0, 7));
    put(block, 116, octal(0, 7));
    put(block, 124, octal(item.content.size(), 11));
    put(block, 136, octal(0, 11));
    put(block, 148, "        ");
    block[156] = item.type;
    put(block, 157, item.link);
    put(block, 257,
        item.type == 'S' ? std::string("ustar  ")
                         : std::string("ustar\0"
                                       "00",
                                       8));
    unsigned sum = 0;
    for (const char c : block) {
      sum += static_cast<unsigned char>(c);
    }
    put(block, 148, octal(sum, 6));
    block[154] = '\0';
    m_data += block + item.content + std::string((512 - item.content.size() % 512) % 512, '\0');
    return *this;
  }
  /// A pax header that says something else about the entry after it.
  TarWriter& pax(const std::string& key, const std::string& value) {
    return add({"PaxHeaders/x", record(key, value), 'x'});
  }
  static std::string record(const std::string& key, const std::string& value) {
    const std::string rest = " " + key + "=" + value + "\n";
    std::size_t size = rest.size() + 1;
    while (std::to_string(size).size() + rest.size() != size) {
      ++size;
    }
    return std::to_string(size) + rest;
  }
  [[nodiscard]] std::string finish() const { return m_data + std::string(1024, '\0'); }
  [[nodiscard]] std::string without_end() const { return m_data; }

 private:
  static std::string octal(std::uint64_t value, int digits) {
    std::string text(32, '\0');
    text.resize(static_cast<std::size_t>(
        std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value))));
    return text;
  }
  static void put(std::string& block, std::size_t at, const std::string& text) { block.replace(at, text.size(), text); }
  std::string m_data;
};

/// The bytes in one of libarchive's compressions: gzip, bzip2, xz, zstd.
inline std::string compressed(std::string_view bytes, const std::string& filter) {
  const auto append = [](archive*, void* target, const void* data, std::size_t count) -> la_ssize_t {
    static_cast<std::string*>(target)->append(static_cast<const char*>(data), count);
    return static_cast<la_ssize_t>(count);
  };
  std::string result;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(), archive_write_free);
  archive_write_set_format_raw(writer.get());
  archive_write_add_filter_by_name(writer.get(), filter.c_str());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  archive_write_open(writer.get(), &result, nullptr, append, nullptr);
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_pathname(entry.get(), "data");
  archive_write_header(writer.get(), entry.get());
  archive_write_data(writer.get(), bytes.data(), bytes.size());
  archive_write_close(writer.get());
  return result;
}

}  // namespace vdk::test

// SPDX-License-Identifier: Apache-2.0
#include "plugin/unpack/stream.hpp"

#include "core/libarchive.hpp"

namespace vdk::plugin::detail {
namespace {

using job::detail::archive_error;
using namespace libarchive;

constexpr std::size_t k_block = 512;
constexpr std::size_t k_read_size = 65536;
constexpr std::uint64_t k_header_bytes = 4096;  // what a tar may spend on the headers of one entry, on average

int filter_of(Packing packing) {
  switch (packing) {
    case Packing::none:
      return ARCHIVE_FILTER_NONE;
    case Packing::gzip:
      return ARCHIVE_FILTER_GZIP;
    case Packing::bzip2:
      return ARCHIVE_FILTER_BZIP2;
    case Packing::xz:
      return ARCHIVE_FILTER_XZ;
    case Packing::zstd:
      return ARCHIVE_FILTER_ZSTD;
  }
  return ARCHIVE_FILTER_NONE;
}

[[noreturn]] void fail(archive* reader) {
  const char* text = archive_error_string(reader);
  throw archive_error(std::string("It is damaged: ") + (text == nullptr ? "unknown" : text) + ".");
}

std::uint64_t length_without_zeros(std::string_view block) {
  const std::size_t last = block.find_last_not_of('\0');
  return last == std::string_view::npos ? 0 : last + 1;
}

}  // namespace

Stream::Stream(const std::filesystem::path& file, Packing packing, const Limits& limits)
    : m_reader(make_reader()),
      m_size(std::filesystem::file_size(file)),
      m_most(limits.unpacked_bytes + limits.entries * k_header_bytes + (1ULL << 20U)),
      m_budget(m_size, limits) {
  archive* reader = m_reader.get();
  archive_read_support_format_raw(reader);
  // One filter and no search for further ones: an archive in an archive in an archive stays packed.
  if ((packing != Packing::none && archive_read_append_filter(reader, filter_of(packing)) != ARCHIVE_OK) ||
      archive_read_open_filename(reader, file.c_str(), k_read_size) != ARCHIVE_OK) {
    fail(reader);
  }
  archive_entry* header = nullptr;
  const int result = archive_read_next_header(reader, &header);
  m_ended = result == ARCHIVE_EOF;
  if (result != ARCHIVE_OK && !m_ended) {
    fail(reader);
  }
}

void Stream::check_end() {
  m_ended = true;
  const auto used = static_cast<std::uint64_t>(archive_filter_bytes(m_reader.get(), -1));
  if (used < m_size) {
    throw archive_error("It has " + std::to_string(m_size - used) + " bytes of something else behind its end.");
  }
}

std::string_view Stream::read() {
  while (!m_ended) {
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(m_reader.get(), &bytes, &count, &offset);
    if (result == ARCHIVE_EOF) {
      check_end();
    } else if (result != ARCHIVE_OK) {
      fail(m_reader.get());
    } else if (count > 0) {
      const std::string_view block(static_cast<const char*>(bytes), count);
      m_budget.add(count);
      const std::uint64_t end = length_without_zeros(block);
      m_zeros_from = end == 0 ? m_zeros_from : m_produced + end;
      m_produced += count;
      if (m_produced > m_most) {
        throw archive_error("It unpacks to more than " + std::to_string(m_most) + " bytes.");
      }
      return block;
    }
  }
  return {};
}

std::string_view Stream::first_block() {
  while (!m_first_given && m_first.size() < k_block) {
    const std::string_view block = read();
    if (block.empty()) {
      break;
    }
    m_first += block;
  }
  return std::string_view(m_first).substr(0, k_block);
}

std::string_view Stream::next() {
  if (!m_first_given && !m_first.empty()) {
    m_first_given = true;
    return m_first;
  }
  return read();
}

}  // namespace vdk::plugin::detail

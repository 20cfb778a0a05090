// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <exception>

#include "core/libarchive.hpp"
#include "plugin/unpack/stream.hpp"

namespace vdk::plugin::detail {
namespace {

using job::detail::archive_error;
using job::detail::printable;
using namespace libarchive;

constexpr std::uint64_t k_block = 512;

/// What libarchive's C code calls; no exception may pass through it.
struct Source {
  Stream& stream;
  std::exception_ptr failure;
};

la_ssize_t read_block(archive* reader, void* data, const void** bytes) {
  auto* source = static_cast<Source*>(data);
  try {
    const std::string_view block = source->stream.next();
    *bytes = block.data();
    return static_cast<la_ssize_t>(block.size());
  } catch (...) {
    source->failure = std::current_exception();
    archive_set_error(reader, EIO, "cannot read");
    return -1;
  }
}

class TarReader {
 public:
  TarReader(Stream& stream, Sink& sink) : m_source{stream, nullptr}, m_sink(sink), m_reader(make_reader()) {
    archive_read_support_format_tar(m_reader.get());
    check(archive_read_open(m_reader.get(), &m_source, nullptr, read_block, nullptr), "");
  }

  void read() {
    archive_entry* header = nullptr;
    while (next(header)) {
      take(header);
    }
    check_end();
  }

 private:
  void check(int result, const std::string& name) const {
    if (m_source.failure) {
      std::rethrow_exception(m_source.failure);
    }
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
      const char* text = archive_error_string(m_reader.get());
      const std::string place = name.empty() ? "It" : "The entry '" + printable(name) + "'";
      throw archive_error(place + " is damaged: " + (text == nullptr ? "unknown" : text) + ".");
    }
  }

  bool next(archive_entry*& header) {
    const int result = archive_read_next_header(m_reader.get(), &header);
    if (result == ARCHIVE_EOF && !m_source.failure) {
      return false;
    }
    check(result, "");
    return true;
  }

  void take(archive_entry* header) {
    const char* told = archive_entry_pathname(header);
    std::string name = told == nullptr ? "" : told;
    const auto type = archive_entry_filetype(header);
    if (name.starts_with("./")) {
      name.erase(0, 2);  // as `tar -C folder .` writes it
    }
    if (type == AE_IFDIR && (name.empty() || name == ".")) {
      return;
    }
    if (archive_entry_hardlink(header) != nullptr) {
      throw archive_error("The entry '" + printable(name) + "' is a hard link.");
    }
    if (archive_entry_sparse_count(header) > 0) {
      throw archive_error("The entry '" + printable(name) + "' is a sparse file.");
    }
    if (type == AE_IFDIR) {
      m_sink.folder(name.ends_with('/') ? name : name + "/");
    } else if (type == AE_IFLNK) {
      const char* target = archive_entry_symlink(header);
      m_sink.link(name, target == nullptr ? "" : target);
    } else if (type == AE_IFREG) {
      take_file(header, name);
    } else {
      throw archive_error("The entry '" + printable(name) + "' is a device, a pipe or something else than a file.");
    }
  }

  void take_file(archive_entry* header, const std::string& name) {
    if (!m_sink.file(name, (archive_entry_perm(header) & 0100U) != 0)) {
      check(archive_read_data_skip(m_reader.get()), name);
      return;
    }
    std::uint64_t produced = 0;
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    int result = ARCHIVE_OK;
    while ((result = archive_read_data_block(m_reader.get(), &bytes, &count, &offset)) != ARCHIVE_EOF) {
      check(result, name);
      if (static_cast<std::uint64_t>(offset) != produced) {
        throw archive_error("The entry '" + printable(name) + "' is a sparse file.");
      }
      produced += count;
      m_sink.content({static_cast<const char*>(bytes), count});
    }
    if (static_cast<std::uint64_t>(archive_entry_size(header)) != produced) {
      throw archive_error("The entry '" + printable(name) + "' is not as long as the archive says.");
    }
  }

  /// After the last entry there are zeros and nothing else; without any it was cut off between two entries.
  void check_end() {
    const auto end = static_cast<std::uint64_t>(archive_filter_bytes(m_reader.get(), -1));
    Stream& stream = m_source.stream;
    while (!stream.next().empty()) {
    }
    if (stream.zeros_from() > end) {
      throw archive_error("It has something else behind its end.");
    }
    if (stream.produced() < stream.zeros_from() + k_block) {
      throw archive_error("It is cut off: its end mark is missing.");
    }
  }

  Source m_source;
  Sink& m_sink;
  Reader m_reader;
};

}  // namespace

void read_tar(Stream& stream, Sink& sink) {
  const job::detail::Utf8Locale locale;
  TarReader(stream, sink).read();
}

}  // namespace vdk::plugin::detail

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "plugin/unpack/kind.hpp"
#include "plugin/unpack/sink.hpp"
#include "plugin/unpack/stream.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/job/archive.hpp"
#include "vdk/plugin/archive.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;
using detail::Kind;
using detail::Packing;
using job::detail::archive_error;
using job::detail::printable;
using job::detail::ZipEntry;
using Archive = PluginEntry::Archive;

/// A file's bytes without reading them all.
class Mapped {
 public:
  explicit Mapped(const fs::path& path) {
    const files::Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0) {
      throw system_error("cannot open '" + path.string() + "'", errno);
    }
    m_size = static_cast<std::size_t>(info.st_size);
    m_bytes = m_size == 0 ? nullptr : mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (m_bytes == MAP_FAILED) {
      throw system_error("cannot read '" + path.string() + "'", errno);
    }
  }
  ~Mapped() {
    if (m_bytes != nullptr) {
      munmap(m_bytes, m_size);
    }
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(m_bytes), m_size}; }

 private:
  void* m_bytes = nullptr;
  std::size_t m_size = 0;
};

class ZipFiles : public job::detail::ZipVisitor {
 public:
  ZipFiles(detail::Sink& sink, std::uint64_t packed, const Limits& limits) : m_sink(sink), m_budget(packed, limits) {}
  bool begin(const ZipEntry& entry) override {
    if (entry.is_folder()) {
      return m_sink.folder(entry.name);
    }
    return entry.type() == S_IFLNK || m_sink.file(entry.name, (entry.unix_mode & 0100U) != 0);
  }
  void content(std::string_view bytes) override {
    m_budget.add(bytes.size());
    m_sink.content(bytes);
  }
  void link(const ZipEntry& entry, const std::string& target) override { m_sink.link(entry.name, target); }

 private:
  detail::Sink& m_sink;
  detail::Budget m_budget;
};

void check_type(const ZipEntry& entry) {
  const bool folder = entry.type() == S_IFDIR;
  if (folder != entry.is_folder()) {
    throw archive_error("The entry '" + printable(entry.name) + "' is a folder by its name or by its mode only.");
  }
  if (!folder && entry.type() != S_IFREG && entry.type() != S_IFLNK) {
    throw archive_error("The entry '" + printable(entry.name) + "' is a device, a pipe or something else than a file.");
  }
}

void unpack_zip(const fs::path& file, detail::Sink& sink, const Limits& limits) {
  const Mapped zip(file);
  const auto entries = job::detail::read_zip_directory(zip.bytes(), limits.entries);
  for (const ZipEntry& entry : entries) {
    sink.check_name(entry.name);
    check_type(entry);
  }
  if (entries.empty()) {
    throw archive_error("It is empty.");
  }
  ZipFiles visitor(sink, zip.bytes().size(), limits);
  job::detail::read_zip(zip.bytes(), entries, visitor);
}

bool is_wanted(Archive wanted, const Kind& found) {
  const bool packed = found.packing != Packing::none;
  switch (wanted) {
    case Archive::zip:
      return found.zip;
    case Archive::tar_gz:
      return found.tar && packed;
    case Archive::tar:
      return found.tar && !packed;
    case Archive::automatic:
    case Archive::none:
      return true;
  }
  return true;
}

std::string shown(const Kind& kind) {
  if (kind.zip) {
    return "a zip";
  }
  const bool packed = kind.packing != Packing::none;
  if (kind.tar) {
    return packed ? "a compressed tar" : "a tar";
  }
  return packed ? "a compressed file" : "no archive";
}

/// What the file's name promises against what it is. An archive's name on something else is damage, or an error page.
void compare_with_name(const detail::Claim& claim, const Kind& found, const std::string& name, Unpacked& result) {
  const Kind& told = claim.kind;
  if (told.zip == found.zip && told.tar == found.tar && told.packing == found.packing) {
    return;
  }
  const bool nothing = !found.zip && !found.tar && found.packing == Packing::none;
  const bool nothing_told = !told.zip && !told.tar && told.packing == Packing::none;
  if ((nothing && !nothing_told) || (told.tar && !found.tar && !found.zip)) {
    throw archive_error("By its name it is " + shown(told) + ", by its first bytes " + shown(found) + ".");
  }
  result.warnings.push_back(
      "'" + printable(name) + "' is " + shown(found) +
      (nothing_told ? ", which its name does not say" : " and not " + shown(told) + " as its name says"));
}

void check_kind(const Kind& found, const UnpackOptions& options, Unpacked& result) {
  if (!is_wanted(options.archive, found)) {
    throw archive_error("It is " + shown(found) + ", and not what 'archive' of the configuration says.");
  }
  if (options.archive == Archive::automatic) {
    compare_with_name(detail::kind_of_name(options.file_name), found, options.file_name, result);
  }
}

void unpack_stream(const fs::path& file, Packing packing, const UnpackOptions& options, detail::Sink& sink) {
  detail::Stream stream(file, packing, options.limits);
  const bool tar = options.archive != Archive::none && detail::is_tar_header(stream.first_block());
  check_kind({.tar = tar, .packing = packing}, options, sink.result());
  if (tar) {
    detail::read_tar(stream, sink);
    return;
  }
  sink.single_file(packing == Packing::none ? options.file_name : detail::kind_of_name(options.file_name).stem);
  for (std::string_view block = stream.next(); !block.empty(); block = stream.next()) {
    sink.content(block);
  }
}

Kind kind_of_file(const fs::path& file) {
  constexpr std::size_t block = 512;
  const Mapped mapped(file);
  return detail::kind_of_bytes(mapped.bytes().substr(0, block));
}

Unpacked unpack_by_kind(const fs::path& file, const fs::path& destination, const UnpackOptions& options) {
  if (fs::file_size(file) == 0) {
    throw archive_error("It is empty.");
  }
  detail::Sink sink(destination, options);
  const Kind kind = options.archive == Archive::none ? Kind{} : kind_of_file(file);
  if (kind.zip) {
    check_kind(kind, options, sink.result());
    unpack_zip(file, sink, options.limits);
  } else {
    unpack_stream(file, kind.packing, options, sink);
  }
  sink.finish();
  return std::move(sink.result());
}

}  // namespace

Unpacked unpack(const fs::path& file, const fs::path& destination, const UnpackOptions& options) {
  Unpacked result;
  try {
    result = unpack_by_kind(file, destination, options);
  } catch (const Error& error) {
    files::remove_content(destination);
    if (error.kind() != ErrorKind::usage) {
      throw;
    }
    throw Error(
        ErrorKind::platform,
        {.what = "cannot unpack '" + printable(options.file_name) + "'",
         .why = error.text().why,
         .consequences = "Nothing of it was unpacked.",
         .countermeasures = "Check that the address leads to the right file, or ask its maker for a clean one."});
  } catch (...) {
    files::remove_content(destination);
    throw;
  }
  failpoint("plugin.unpacked");
  return result;
}

std::string tree_sha256(const fs::path& directory) { return tree_hash(directory); }

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>

// clang-format off
#define VDK_ARCHIVE_FUNCTIONS(X) \
  X(archive_entry_filetype) X(archive_entry_free) X(archive_entry_hardlink) X(archive_entry_new) \
  X(archive_entry_pathname) X(archive_entry_perm) X(archive_entry_set_filetype) X(archive_entry_set_gid) \
  X(archive_entry_set_mtime) X(archive_entry_set_pathname) X(archive_entry_set_perm) X(archive_entry_set_size) \
  X(archive_entry_set_symlink) X(archive_entry_set_uid) X(archive_entry_size) X(archive_entry_sparse_count) \
  X(archive_entry_symlink) X(archive_error_string) X(archive_filter_bytes) X(archive_read_append_filter) \
  X(archive_read_data) X(archive_read_data_block) X(archive_read_data_skip) X(archive_read_free) X(archive_read_new) \
  X(archive_read_next_header) X(archive_read_open) X(archive_read_open_filename) X(archive_read_open_memory) \
  X(archive_read_support_format_raw) X(archive_read_support_format_tar) X(archive_read_support_format_zip_seekable) \
  X(archive_set_error) X(archive_write_close) X(archive_write_data) X(archive_write_finish_entry) \
  X(archive_write_free) X(archive_write_header) X(archive_write_new) X(archive_write_open) \
  X(archive_write_set_bytes_in_last_block) X(archive_write_set_format_pax_restricted) X(archive_write_set_format_zip) \
  X(archive_write_set_options)
// clang-format on

/// The functions of libarchive that vdk uses, as pointers that code with `using namespace libarchive` calls as if they
/// were linked: with its compressors the library is a fifth of the start time of a command. They are there once one of
/// the make_ functions has been called; those throw Error(platform) when the library is not installed.
namespace vdk::libarchive {

#define VDK_DECLARE(name) extern decltype(&::name) name;
VDK_ARCHIVE_FUNCTIONS(VDK_DECLARE)
#undef VDK_DECLARE

using Reader = std::unique_ptr<archive, decltype(&::archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&::archive_write_free)>;
using Entry = std::unique_ptr<archive_entry, decltype(&::archive_entry_free)>;

[[nodiscard]] Reader make_reader();
[[nodiscard]] Writer make_writer();
[[nodiscard]] Entry make_entry();

}  // namespace vdk::libarchive

// SPDX-License-Identifier: Apache-2.0
#include "core/libarchive.hpp"

#include "core/shared_library.hpp"
#include "vdk/core/error.hpp"

namespace vdk::libarchive {

#define VDK_DEFINE(name) decltype(&::name) name = nullptr;
VDK_ARCHIVE_FUNCTIONS(VDK_DEFINE)
#undef VDK_DEFINE

namespace {

void load() {
  static const bool loaded = [] {
    SharedLibrary library{"libarchive.so.13"};
#define VDK_FIND(name) library.find(#name, name);
    VDK_ARCHIVE_FUNCTIONS(VDK_FIND)
#undef VDK_FIND
    if (!library.problem().empty()) {
      throw Error(ErrorKind::platform, {"cannot read or write archives", library.problem(),
                                        "nothing was packed or unpacked", "install the package libarchive13"});
    }
    return true;
  }();
  (void)loaded;
}

}  // namespace

Reader make_reader() {
  load();
  return {archive_read_new(), archive_read_free};
}

Writer make_writer() {
  load();
  return {archive_write_new(), archive_write_free};
}

Entry make_entry() {
  load();
  return {archive_entry_new(), archive_entry_free};
}

}  // namespace vdk::libarchive

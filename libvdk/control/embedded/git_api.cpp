// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/git_api.hpp"

#include <mutex>
#include <string>

#include "core/shared_library.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control::git {

#define VDK_DEFINE(name) decltype(&::name) name = nullptr;
VDK_GIT_FUNCTIONS(VDK_DEFINE)
#undef VDK_DEFINE

namespace {

// The layout of the library's structures belongs to its version: the one that vdk was built with, and no other.
constexpr const char* k_library = "libgit2.so." LIBGIT2_SOVERSION;

}  // namespace

void load_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    SharedLibrary library{k_library};
#define VDK_FIND(name) library.find(#name, name);
    VDK_GIT_FUNCTIONS(VDK_FIND)
#undef VDK_FIND
    if (!library.problem().empty()) {
      throw Error(
          ErrorKind::platform,
          {"cannot use the sources of data jobs", library.problem(), "Nothing was read or stored.",
           std::string("Install the package libgit2-") + LIBGIT2_SOVERSION + ", or the vdk package for this system."});
    }
    git_libgit2_init();
    // The service's repository obeys nobody's personal settings.
    for (const int level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
  });
}

}  // namespace vdk::control::git

// SPDX-License-Identifier: Apache-2.0
// fsck, backup
#include "vdk/control/embedded.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {

std::vector<Finding> fsck(const EmbeddedOptions& /*options*/, target::Target& /*target*/, const Clock& /*clock*/,
                          bool /*repair*/) {
  throw Error(ErrorKind::internal, {"cannot check the service", "not built yet", "", ""});
}

void backup(const EmbeddedOptions& /*options*/, const std::filesystem::path& /*directory*/, bool /*with_key*/) {
  throw Error(ErrorKind::internal, {"cannot back up the service", "not built yet", "", ""});
}

}  // namespace vdk::control

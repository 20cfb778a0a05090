// SPDX-License-Identifier: Apache-2.0
// What the path of a plugin means: that depends on its provider.
#pragma once

#include <string_view>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

/// The part of a path that names a file or folder: without the query of a web address and without git's @REF.
[[nodiscard]] std::string_view path_of_file(ProviderKind kind, std::string_view path);

}  // namespace vdk::plugin

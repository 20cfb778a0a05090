// SPDX-License-Identifier: Apache-2.0
#include "plugin/config/paths.hpp"

namespace vdk::plugin {

std::string_view path_of_file(ProviderKind kind, std::string_view path) {
  if (kind == ProviderKind::http) {
    return path.substr(0, path.find_first_of("?#"));
  }
  const std::size_t at = kind == ProviderKind::git ? path.rfind('@') : path.npos;
  const bool folder = at != path.npos && (at == 0 || path[at - 1] == '/') && path.find('/', at) != path.npos;
  return folder ? path : path.substr(0, at);  // @scope/name is a folder
}

}  // namespace vdk::plugin

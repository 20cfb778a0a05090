// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.hpp"

#include <dlfcn.h>

namespace vdk {

SharedLibrary::SharedLibrary(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    m_handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (m_handle != nullptr) {
      m_problem.clear();
      return;
    }
    const char* said = dlerror();
    m_problem = said != nullptr ? said : std::string(name) + " cannot be loaded";
  }
}

void* SharedLibrary::address(const char* name) {
  void* found = m_handle == nullptr ? nullptr : dlsym(m_handle, name);
  if (found == nullptr && m_problem.empty()) {
    m_problem = std::string("it has no function ") + name;
  }
  return found;
}

}  // namespace vdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>

namespace vdk {

/// A library that few commands need. Linked, each would cost time at every start of every command, so it is loaded when
/// it is first used, and stays. Ask problem() when all functions have been asked for.
class SharedLibrary {
 public:
  /// Opens the first of these files that the loader finds.
  explicit SharedLibrary(std::initializer_list<const char*> names);

  /// Points `function` at the function of that name; null when there is none.
  template <typename Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(address(name));
  }
  /// Why it cannot be used, in the loader's words; empty when it was found with every function asked for.
  [[nodiscard]] const std::string& problem() const noexcept { return m_problem; }

 private:
  [[nodiscard]] void* address(const char* name);
  void* m_handle = nullptr;
  std::string m_problem;
};

}  // namespace vdk

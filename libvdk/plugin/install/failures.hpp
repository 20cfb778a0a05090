// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "vdk/core/error.hpp"
#include "vdk/plugin/install.hpp"

namespace vdk::plugin {

/// What went wrong with which plugin; told together when all work is over. Any thread.
class Failures {
 public:
  void add(const std::string& plugin, const Error& error);
  /// Throws one Error about all of them; nothing when there is none.
  void raise() const;

 private:
  std::mutex m_mutex;
  std::map<std::string, Error> m_errors;
};

}  // namespace vdk::plugin

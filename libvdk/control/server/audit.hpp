// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "control/server/api.hpp"

namespace vdk::control::rest {

/// A file with one JSON line for each request that changes something, refused ones included. Thread-safe.
class Audit {
 public:
  /// An empty path writes nothing. Error(configuration) when the file cannot be written.
  explicit Audit(std::filesystem::path file);
  void note(const ApiRequest& request, const std::string& address, int status);

 private:
  [[nodiscard]] int open() const;

  std::filesystem::path m_file;
  std::mutex m_mutex;
};

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "vdk/control/embedded.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control {

/// Says on the home that a server runs, until it ends in whatever way. SQLite: HOME/server.lock, one server of a home.
/// Another database: a lock of its own below HOME/servers for each of several servers.
class Presence {
 public:
  /// Error(conflict) when this home has its server already.
  explicit Presence(const EmbeddedOptions& options);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::filesystem::path m_file;  ///< removed at the end
  std::optional<files::FileLock> m_lock;
};

/// Several servers may work on this database.
[[nodiscard]] bool is_shared(const EmbeddedOptions& options);

}  // namespace vdk::control

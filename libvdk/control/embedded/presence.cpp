// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/presence.hpp"

#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

namespace fs = std::filesystem;

/// Whoever asks whether a server runs holds the lock for a moment.
std::optional<files::FileLock> try_for_a_moment(const fs::path& path) {
  constexpr int tries = 25;
  constexpr std::chrono::milliseconds nap{20};
  auto lock = files::FileLock::try_acquire(path);
  for (int i = 0; i < tries && !lock; ++i) {
    std::this_thread::sleep_for(nap);
    lock = files::FileLock::try_acquire(path);
  }
  return lock;
}

/// Files of servers that were killed.
void remove_stale(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (const auto lock = files::FileLock::try_acquire(entry.path())) {
      fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace

bool is_shared(const EmbeddedOptions& options) { return !options.database.url.empty(); }

Presence::Presence(const EmbeddedOptions& options) {
  files::make_private_directory(options.home);
  if (is_shared(options)) {
    static std::atomic<int> number{0};
    const fs::path folder = options.home / "servers";
    files::make_private_directory(folder);
    remove_stale(folder);
    m_file = folder / (std::to_string(getpid()) + "-" + std::to_string(++number));
    m_lock = files::FileLock::acquire(m_file);
    return;
  }
  m_lock = try_for_a_moment(options.home / "server.lock");
  if (!m_lock) {
    const std::string pid(text::trim(files::read_if_exists(options.home / "server.pid").value_or("")));
    throw Error(ErrorKind::conflict,
                {"cannot start the server",
                 "another server runs on '" + options.home.string() + "'" +
                     (pid.empty() ? std::string() : ", its process id is " + pid),
                 "This server does not start; the other one goes on.",
                 "Stop the other server first, or choose another home with VDK_CONTROL_SERVICE_HOME."});
  }
  m_file = options.home / "server.pid";
  files::write_atomic(m_file, std::to_string(getpid()) + "\n", 0600);
}

Presence::~Presence() {
  std::error_code ignored;
  fs::remove(m_file, ignored);
}

bool server_is_running(const fs::path& home) {
  if (files::FileLock::is_held(home / "server.lock")) {
    return true;
  }
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(home / "servers", ignored)) {
    if (files::FileLock::is_held(entry.path())) {
      return true;
    }
  }
  return false;
}

}  // namespace vdk::control

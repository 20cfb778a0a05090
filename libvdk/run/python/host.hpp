// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "run/process/warden.hpp"

namespace vdk::run {

/// The child interpreter that runs the Python steps of one job. Its output streams are those of this process.
class PythonHost {
 public:
  /// Starts `interpreter SDK/host.py FD` and sends the first message.
  PythonHost(const std::filesystem::path& interpreter, const std::string& first_message);
  /// A Python that runs already and has the other end of this socket.
  PythonHost(int socket, const std::string& first_message);
  ~PythonHost();
  PythonHost(const PythonHost&) = delete;
  PythonHost& operator=(const PythonHost&) = delete;

  void send(const std::string& line);
  /// The next message; nothing when the child ended instead (then `ended()` says how).
  [[nodiscard]] std::optional<std::string> receive();
  /// Our end; readable while an answer is awaited means that the child does not wait any more.
  [[nodiscard]] int socket() const noexcept { return m_socket; }
  /// Sentence about how the child ended, and the exit code that the run gets for it.
  struct End {
    std::string sentence;
    int exit_code = 1;
  };
  [[nodiscard]] End ended();
  /// Ask the child to end and wait for it.
  void finish();

 private:
  bool take_line(std::string& line);
  void press_on_signal();
  void reap(bool block);
  std::unique_ptr<Warden> m_warden;  ///< of a child; a Python that runs already ends by itself
  int m_socket = -1;
  int m_pidfd = -1;
  pid_t m_pid = -1;
  int m_status = 0;
  bool m_reaped = false;
  std::string m_buffer;
  std::size_t m_scanned = 0;
  std::optional<std::chrono::steady_clock::time_point> m_signalled;
  int m_pressure = 0;
};

/// The folder of the SDK in the shared data, or in the source tree.
[[nodiscard]] std::filesystem::path sdk_directory();

}  // namespace vdk::run

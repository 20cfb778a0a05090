// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::process {

/// How to start a child process. No shell is ever involved.
struct Command {
  std::vector<std::string> argv;                     ///< argv[0] is looked up on PATH when it has no slash
  std::filesystem::path directory;                   ///< working folder, empty = the caller's
  std::map<std::string, std::string> set;            ///< environment to add or replace
  std::vector<std::string> unset;                    ///< environment to remove
  std::string input;                                 ///< standard input; empty = /dev/null
  std::optional<std::chrono::milliseconds> timeout;  ///< the process group is killed when it passes
  const std::atomic<bool>* stop = nullptr;           ///< the process group is killed when it becomes true
};

struct Result {
  int exit_code = -1;  ///< 128 + signal number when a signal ended it
  bool timed_out = false;
  bool stopped = false;  ///< `Command::stop` became true
  std::string out;
  std::string err;
};

/// Run to the end and collect both streams. `on_line` sees each complete line of either stream as it comes.
/// Throws Error (not_found) when the program does not exist.
[[nodiscard]] Result run(const Command& command, const std::function<void(std::string_view)>& on_line = {});

/// Start a process that outlives this one (own session, stdin /dev/null, both streams appended to `log`,
/// all other descriptors closed). Returns its process id.
pid_t spawn_detached(const Command& command, const std::filesystem::path& log);

/// Path of a program on PATH, nothing when missing or not executable.
[[nodiscard]] std::optional<std::filesystem::path> find_program(std::string_view name);

/// "PID:STARTTIME" - tells a process from a later one with the same id; nothing when it is gone.
[[nodiscard]] std::optional<std::string> identity(pid_t pid);

/// Value of an environment variable; an empty one counts as set.
[[nodiscard]] std::optional<std::string> environment(const std::string& name);
/// Names of all environment variables.
[[nodiscard]] std::vector<std::string> environment_names();

}  // namespace vdk::process

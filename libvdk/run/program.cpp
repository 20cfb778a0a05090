// SPDX-License-Identifier: Apache-2.0
#include "run/program.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "run/signals.hpp"
#include "vdk/core/error.hpp"

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): not in every libc header

namespace vdk::run {

namespace {

using namespace std::chrono_literals;

/// Made before fork: the child may only use async-signal-safe calls.
struct Prepared {
  std::vector<std::string> environment;
  std::vector<char*> environment_pointers;
  std::vector<char*> argv;

  explicit Prepared(const process::Command& command) {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string text(*entry);
      if (!command.set.contains(text.substr(0, text.find('=')))) {
        environment.push_back(text);
      }
    }
    for (const auto& [name, value] : command.set) {
      environment.push_back(name + "=" + value);
    }
    for (std::string& entry : environment) {
      environment_pointers.push_back(entry.data());
    }
    environment_pointers.push_back(nullptr);
    for (const std::string& argument : command.argv) {
      argv.push_back(const_cast<char*>(argument.c_str()));  // execve's signature predates const
    }
    argv.push_back(nullptr);
  }
};

[[noreturn]] void become(const Prepared& prepared, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(127);
  }
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) {
    signal(number, SIG_DFL);
  }
  execve(prepared.argv[0], prepared.argv.data(), prepared.environment_pointers.data());
  _exit(127);
}

int wait_and_press(pid_t pid) {
  constexpr std::array<std::chrono::milliseconds, 3> limits{300ms, 5000ms, 7000ms};
  std::size_t pressure = 0;
  std::chrono::steady_clock::time_point signalled;
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  int status = 0;
  while (true) {
    const pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == pid || (got < 0 && errno != EINTR)) {
      close(pidfd);
      return status;
    }
    const int number = SignalGuard::received();
    const auto now = std::chrono::steady_clock::now();
    if (number != 0) {
      signalled = signalled.time_since_epoch().count() == 0 ? now : signalled;
      // Ctrl-C reaches the program from the terminal too, so it gets a moment before it is sent again.
      const bool at_once = pressure == 0 && number == SIGTERM;
      if (pressure < limits.size() && (at_once || now - signalled > limits.at(pressure))) {
        kill(pid, pressure == 0 ? number : pressure == 1 ? SIGTERM : SIGKILL);
        ++pressure;
      }
    }
    pollfd end{pidfd, POLLIN, 0};
    if (pidfd >= 0) {
      poll(&end, 1, 200);
    } else {
      std::this_thread::sleep_for(20ms);
    }
  }
}

}  // namespace

ProgramEnd run_program(const process::Command& command) {
  const Prepared prepared(command);
  std::fflush(stdout);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    become(prepared, parent);
  }
  if (pid < 0) {
    throw system_error("cannot start '" + command.argv.at(0) + "'", errno, "Check the limits on processes and memory.");
  }
  const int status = wait_and_press(pid);
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {128 + number, "the program was ended by signal " + std::to_string(number) + " (" + strsignal(number) + ")" +
                              (number == SIGKILL ? "; most often the system was out of memory" : "")};
  }
  return {WEXITSTATUS(status), "the program ended with exit code " + std::to_string(WEXITSTATUS(status))};
}

}  // namespace vdk::run

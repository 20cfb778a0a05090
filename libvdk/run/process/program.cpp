// SPDX-License-Identifier: Apache-2.0
#include "run/process/program.hpp"

#include <poll.h>
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

#include "run/process/descendants.hpp"
#include "run/process/signals.hpp"
#include "run/process/warden.hpp"
#include "vdk/core/attached_process.hpp"

namespace vdk::run {

namespace {

using namespace std::chrono_literals;

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
    reap_orphans(pid);
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
  std::fflush(stdout);
  const Warden warden;
  process::Command guarded = command;
  guarded.set[Warden::variable] = warden.value();
  const pid_t pid = process::spawn_attached(guarded);
  const int status = wait_and_press(pid);
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {128 + number, "the program was ended by signal " + std::to_string(number) + " (" + strsignal(number) + ")" +
                              (number == SIGKILL ? "; most often the system was out of memory" : "")};
  }
  return {WEXITSTATUS(status), "the program ended with exit code " + std::to_string(WEXITSTATUS(status))};
}

}  // namespace vdk::run

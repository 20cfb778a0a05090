// SPDX-License-Identifier: Apache-2.0
#include "run/process/warden.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "run/process/descendants.hpp"
#include "vdk/core/hash.hpp"

namespace vdk::run {

Warden::Warden() : m_mark(random_hex(16)) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return;
  }
  m_pipe = ends[1];
  m_pid = fork();
  if (m_pid == 0) {
    watch(ends[0]);
    _exit(0);
  }
  close(ends[0]);
}

Warden::~Warden() {
  if (m_pipe >= 0) {
    [[maybe_unused]] const ssize_t ignored = write(m_pipe, "", 1);
    close(m_pipe);
  }
  if (m_pid > 0) {
    while (waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

std::string Warden::value() const {
  // A run within a run carries the marks of both.
  const char* outer = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets variables here
  return (outer == nullptr ? "" : std::string(outer) + ",") + m_mark;
}

/// In the child: only what is allowed after fork() in a process that had threads.
void Warden::watch(int pipe) const noexcept {
  setsid();  // what is sent to our group is not for it
  prctl(PR_SET_NAME, "vdk-warden");
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    std::signal(number, SIG_IGN);
  }
  constexpr int kept = 3;
  if (pipe != kept) {
    dup2(pipe, kept);
  }
  const int nothing = open("/dev/null", O_RDWR);
  for (int stream = 0; stream < kept; ++stream) {
    dup2(nothing, stream);
  }
  close_range(kept + 1, ~0U, 0);
  [[maybe_unused]] const int ignored = chdir("/");
  char released = 0;
  ssize_t got = 0;
  do {
    got = read(kept, &released, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 0) {
    kill_marked(m_mark);
  }
}

}  // namespace vdk::run

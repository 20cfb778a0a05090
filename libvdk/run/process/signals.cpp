// SPDX-License-Identifier: Apache-2.0
#include "run/process/signals.hpp"

#include <unistd.h>

#include <ctime>

#include "run/process/descendants.hpp"

namespace vdk::run {

namespace {

volatile std::sig_atomic_t g_received = 0;

std::timespec g_since{};

/// `timeout` and service managers send a signal to the process and once more to its group.
constexpr long one_signal_milliseconds = 100;

bool is_repetition() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - g_since.tv_sec) * 1'000 + (now.tv_nsec - g_since.tv_nsec) / 1'000'000 < one_signal_milliseconds;
}

void remember(int number) {
  if (g_received == 0) {
    clock_gettime(CLOCK_MONOTONIC, &g_since);
    g_received = number;
  } else if (!is_repetition()) {
    kill_descendants();
    _exit(128 + number);
  }
}

}  // namespace

SignalGuard::SignalGuard() : m_adopted(adopt_orphans(true)) {
  g_received = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: poll() has to notice
  sigaction(SIGINT, &action, &m_old_interrupt);
  sigaction(SIGTERM, &action, &m_old_terminate);
}

SignalGuard::~SignalGuard() {
  sigaction(SIGINT, &m_old_interrupt, nullptr);
  sigaction(SIGTERM, &m_old_terminate, nullptr);
  (void)adopt_orphans(m_adopted);
}

int SignalGuard::received() noexcept { return g_received; }

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/signals.hpp"

namespace vdk::run {

namespace {

volatile std::sig_atomic_t g_received = 0;

void remember(int number) {
  if (g_received == 0) {
    g_received = number;
  }
}

}  // namespace

SignalGuard::SignalGuard() {
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
}

int SignalGuard::received() noexcept { return g_received; }

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace vdk::run {

/// While it lives, SIGINT and SIGTERM do not end the process but are remembered, so that the job is ended in order.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  /// The first signal that came, 0 when none did.
  [[nodiscard]] static int received() noexcept;

 private:
  struct sigaction m_old_interrupt {};
  struct sigaction m_old_terminate {};
};

}  // namespace vdk::run

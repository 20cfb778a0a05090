// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace vdk::run {

/// While it lives, SIGINT and SIGTERM do not end the process but are remembered, so that the job is ended in order.
/// A second one ends us and all that the steps started at once.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  /// The first signal that came, 0 when none did.
  [[nodiscard]] static int received() noexcept;

 private:
  bool m_adopted;
  struct sigaction m_old_interrupt {};
  struct sigaction m_old_terminate {};
};

}  // namespace vdk::run

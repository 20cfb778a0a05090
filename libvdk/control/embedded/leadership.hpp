// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "control/embedded/synchronizer.hpp"

namespace vdk::control {

/// Keeps asking for a lease and, once it is ours, renews it from a thread of its own, so that long work elsewhere does
/// not lose it. Without `shared` there is nobody to share with, and the lease is always ours.
class Leadership {
 public:
  Leadership(const EmbeddedOptions& options, const Clock& clock, std::string lease, bool shared);
  /// Gives the lease back, so that another server goes on at once.
  ~Leadership();
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  [[nodiscard]] bool held() const noexcept { return !m_shared || m_number != 0; }
  /// What outcomes must be written under; nothing when the lease is not shared.
  [[nodiscard]] std::optional<Fence> fence() const;

 private:
  void keep();
  void step(Store& store);
  const EmbeddedOptions& m_options;
  const Clock& m_clock;
  std::string m_lease;
  std::string m_owner;
  bool m_shared;
  std::atomic<long long> m_number{0};
  std::chrono::steady_clock::time_point m_renewed;
  std::atomic<bool> m_stop{false};
  std::jthread m_thread;
};

}  // namespace vdk::control

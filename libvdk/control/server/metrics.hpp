// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "vdk/control/service.hpp"

namespace vdk::control::rest {

/// What the server counts about itself. Thread-safe.
class Metrics {
 public:
  std::atomic<long long> connections{0};           ///< open now
  std::atomic<long long> connections_accepted{0};  ///< since the start
  std::atomic<long long> in_flight{0};             ///< requests that are queued or being answered
  std::atomic<long long> queued{0};
  std::atomic<long long> workers{0};
  std::atomic<long long> busy_workers{0};
  std::atomic<long long> overload_rejected{0};
  std::atomic<long long> limit_rejected{0};  ///< too large, too slow, malformed
  std::atomic<long long> services{0};        ///< Service objects that exist

  void count_request(std::string_view method, std::string_view route, int status, std::chrono::nanoseconds duration);
  /// Prometheus text: the server's own numbers and those of the background tasks.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::array<double, 10> k_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60};
  struct Histogram {
    std::array<long long, k_buckets.size()> buckets{};
    long long count = 0;
    double sum = 0;
  };
  mutable std::mutex m_mutex;
  std::map<std::tuple<std::string, std::string, int>, Histogram, std::less<>> m_requests;
};

/// A text that takes a while to make. While one caller makes it the others get the last one instead of waiting.
class SharedText {
 public:
  std::string get(const std::function<std::string()>& make);

 private:
  std::mutex m_making;
  std::mutex m_mutex;
  std::string m_last;
};

/// Prometheus text about the data jobs (contract control 5.9).
[[nodiscard]] std::string job_metrics(Service& service);

}  // namespace vdk::control::rest

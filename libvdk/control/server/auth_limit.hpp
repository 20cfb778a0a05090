// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace vdk::control::rest {

/// A bucket of failed logins for each address. Thread-safe.
class LoginLimit {
 public:
  LoginLimit(int at_once, int per_minute) { change(at_once, per_minute); }
  /// Other numbers from now on; what has failed already goes on counting.
  void change(int at_once, int per_minute);
  /// Counts a failed login; seconds to wait when there were too many, else 0.
  [[nodiscard]] int fail(const std::string& address, std::chrono::steady_clock::time_point now);

 private:
  struct Bucket {
    double left;
    std::chrono::steady_clock::time_point since;
  };
  void forget(std::chrono::steady_clock::time_point now);

  double m_size = 1;
  double m_per_second = 1;
  std::mutex m_mutex;
  std::unordered_map<std::string, Bucket> m_buckets;
};

}  // namespace vdk::control::rest

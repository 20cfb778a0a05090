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
  LoginLimit(int at_once, int per_minute) : m_size(at_once), m_per_second(per_minute / 60.0) {}
  /// Counts a failed login; seconds to wait when there were too many, else 0.
  [[nodiscard]] int fail(const std::string& address, std::chrono::steady_clock::time_point now);

 private:
  struct Bucket {
    double left;
    std::chrono::steady_clock::time_point since;
  };
  void forget(std::chrono::steady_clock::time_point now);

  double m_size;
  double m_per_second;
  std::mutex m_mutex;
  std::unordered_map<std::string, Bucket> m_buckets;
};

}  // namespace vdk::control::rest

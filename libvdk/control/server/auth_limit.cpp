// SPDX-License-Identifier: Apache-2.0
#include "control/server/auth_limit.hpp"

#include <algorithm>
#include <cmath>

namespace vdk::control::rest {
namespace {

constexpr std::size_t k_most_addresses = 10'000;

}  // namespace

void LoginLimit::change(int at_once, int per_minute) {
  constexpr double seconds = 60;
  const std::lock_guard lock(m_mutex);
  m_size = at_once;
  m_per_second = per_minute / seconds;
}

int LoginLimit::fail(const std::string& address, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(m_mutex);
  if (m_buckets.size() >= k_most_addresses) {
    forget(now);
  }
  Bucket& bucket = m_buckets.try_emplace(address, Bucket{m_size, now}).first->second;
  const double refill = std::chrono::duration<double>(now - bucket.since).count() * m_per_second;
  bucket = {std::min(m_size, bucket.left + refill), now};
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((1 - bucket.left) / m_per_second)));
}

/// Addresses whose bucket is full again; all of them when there are none.
void LoginLimit::forget(std::chrono::steady_clock::time_point now) {
  std::erase_if(m_buckets, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return bucket.left + std::chrono::duration<double>(now - bucket.since).count() * m_per_second >= m_size;
  });
  if (m_buckets.size() >= k_most_addresses) {
    m_buckets.clear();
  }
}

}  // namespace vdk::control::rest

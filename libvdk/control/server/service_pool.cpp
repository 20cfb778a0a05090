// SPDX-License-Identifier: Apache-2.0
#include "control/server/service_pool.hpp"

namespace vdk::control::rest {

ServicePool::Lease ServicePool::lease() {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_free.empty()) {
      std::unique_ptr<Service> service = std::move(m_free.back());
      m_free.pop_back();
      return {*this, std::move(service)};
    }
  }
  std::unique_ptr<Service> service = m_open();
  ++m_metrics.services;
  return {*this, std::move(service)};
}

void ServicePool::put(std::unique_ptr<Service> service, bool broken) noexcept {
  if (broken) {
    --m_metrics.services;
    return;
  }
  const std::lock_guard lock(m_mutex);
  m_free.push_back(std::move(service));
}

}  // namespace vdk::control::rest

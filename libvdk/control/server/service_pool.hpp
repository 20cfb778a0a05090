// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "control/server/metrics.hpp"
#include "vdk/control/server.hpp"

namespace vdk::control::rest {

/// Service objects for the workers. The one that was used last is given out first, so a quiet server keeps few.
class ServicePool {
 public:
  ServicePool(OpenService open, Metrics& metrics) : m_open(std::move(open)), m_metrics(metrics) {}

  /// A Service for one request; goes back to the pool unless it is called broken.
  class Lease {
   public:
    Lease(ServicePool& pool, std::unique_ptr<Service> service) : m_pool(pool), m_service(std::move(service)) {}
    ~Lease() { m_pool.put(std::move(m_service), m_broken); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Service& operator*() { return *m_service; }
    /// Its connection may be of no more use: the next request gets a fresh object.
    void is_broken() { m_broken = true; }

   private:
    ServicePool& m_pool;
    std::unique_ptr<Service> m_service;
    bool m_broken = false;
  };

  [[nodiscard]] Lease lease();

 private:
  void put(std::unique_ptr<Service> service, bool broken) noexcept;

  OpenService m_open;
  Metrics& m_metrics;
  std::mutex m_mutex;
  std::vector<std::unique_ptr<Service>> m_free;
};

}  // namespace vdk::control::rest

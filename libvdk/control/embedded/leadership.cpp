// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/leadership.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "control/embedded/lease.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control {
namespace {

using Steady = std::chrono::steady_clock;

/// Who holds the lease, for people.
std::string owner() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) {
    name[0] = '?';
  }
  return std::string(name.data()) + ":" + std::to_string(getpid());
}

}  // namespace

Leadership::Leadership(const EmbeddedOptions& options, const Clock& clock, std::string lease, bool shared)
    : m_options(options), m_clock(clock), m_lease(std::move(lease)), m_owner(owner()), m_shared(shared) {
  if (m_shared) {
    m_thread = std::jthread([this] { keep(); });
  }
}

Leadership::~Leadership() { m_stop = true; }

std::optional<Fence> Leadership::fence() const {
  return m_shared ? std::optional(Fence{m_lease, m_number}) : std::nullopt;
}

void Leadership::step(Store& store) {
  Leases leases(store, m_clock);
  const std::chrono::milliseconds duration = m_options.synchronizer.lease;
  const auto asked = Steady::now();
  if (m_number == 0) {
    if (const auto number = leases.acquire(m_lease, m_owner, duration)) {
      m_renewed = asked;
      m_number = *number;
    }
  } else if (leases.renew(m_lease, m_number, duration)) {
    m_renewed = asked;
  } else {
    m_number = 0;
  }
}

void Leadership::keep() {
  constexpr std::chrono::milliseconds nap{50};
  const std::chrono::milliseconds duration = m_options.synchronizer.lease;
  std::unique_ptr<Store> store;
  std::string told;
  while (!m_stop) {
    try {
      if (!store) {
        store = std::make_unique<Store>(m_options.database, m_options.home);
      }
      step(*store);
      told.clear();
    } catch (const std::exception& problem) {
      if (told != problem.what()) {
        told = problem.what();
        log::error("lease '" + m_lease + "': " + told);
      }
    }
    // Nobody can tell us that we lost it while the database is away: then it counts as lost in time.
    if (m_number != 0 && Steady::now() - m_renewed >= duration) {
      m_number = 0;
      log::warning("lost the lease '" + m_lease + "'; another server may take it");
    }
    const auto next =
        Steady::now() +
        (m_number == 0 ? std::min<std::chrono::milliseconds>(duration / 3, std::chrono::seconds(1)) : duration / 3);
    while (!m_stop && Steady::now() < next) {
      std::this_thread::sleep_for(nap);
    }
  }
  try {
    if (store && m_number != 0) {
      Leases(*store, m_clock).release(m_lease, m_number);
    }
  } catch (const std::exception& problem) {
    log::debug("lease '" + m_lease + "': " + problem.what());
  }
  m_number = 0;
}

}  // namespace vdk::control

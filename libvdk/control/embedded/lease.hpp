// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "control/embedded/store.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control {

/// Tasks that one process of all on a database does. A lease ends by itself when it is not renewed. Each new holder
/// gets a higher fencing number; Store::check_fencing keeps a former holder, which may not know yet, from writing. Time
/// is the database's on PostgreSQL, so that clocks of servers need not agree, and `clock` on SQLite.
class Leases {
 public:
  Leases(Store& store, const Clock& clock) : m_store(store), m_clock(clock) {}

  /// The fencing number; nothing while somebody else (or this owner) holds the lease. `owner` is for people.
  [[nodiscard]] std::optional<long long> acquire(const std::string& name, const std::string& owner,
                                                 std::chrono::milliseconds duration);
  /// False when somebody else has it now. A lease that ran out and that nobody took is ours again.
  [[nodiscard]] bool renew(const std::string& name, long long fencing, std::chrono::milliseconds duration);
  /// Let the next one have it at once; nothing happens when it is not ours any more.
  void release(const std::string& name, long long fencing);
  /// Who holds the lease now; nothing when nobody does.
  [[nodiscard]] std::optional<std::string> holder(const std::string& name);

 private:
  Store& m_store;
  const Clock& m_clock;
};

}  // namespace vdk::control

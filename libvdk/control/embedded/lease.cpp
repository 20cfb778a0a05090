// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/lease.hpp"

#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {
namespace {

/// Microseconds since 1970 as the database sees them, or as `clock` does.
std::string now_of(const StoreSession& session, const Clock& clock) {
  return session.postgresql ? "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
                            : std::to_string(to_unix_micros(clock.now()));
}

std::string micros(std::chrono::milliseconds duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

std::optional<long long> Leases::acquire(const std::string& name, const std::string& owner,
                                         std::chrono::milliseconds duration) {
  StoreSession& session = *m_store.m_session;
  const std::string now = now_of(session, m_clock);
  Query query(session, "INSERT INTO service_lock (name, owner, fencing, lease_until) VALUES (:name, :owner, 1, " + now +
                           " + " + micros(duration) +
                           ") ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, "
                           "fencing = service_lock.fencing + 1, lease_until = excluded.lease_until "
                           "WHERE service_lock.lease_until <= " +
                           now + " RETURNING fencing");
  query.columns("i").in(name).in(owner);
  if (!query.next()) {
    return std::nullopt;
  }
  const long long fencing = query.integer();
  while (query.next()) {
  }
  return fencing;
}

bool Leases::renew(const std::string& name, long long fencing, std::chrono::milliseconds duration) {
  StoreSession& session = *m_store.m_session;
  Query query(session, "UPDATE service_lock SET lease_until = " + now_of(session, m_clock) + " + " + micros(duration) +
                           " WHERE name = :name AND fencing = :fencing RETURNING name");
  query.columns("s").in(name).in(fencing);
  return query.single();
}

void Leases::release(const std::string& name, long long fencing) {
  Query(*m_store.m_session, "UPDATE service_lock SET lease_until = 0 WHERE name = :name AND fencing = :fencing")
      .in(name)
      .in(fencing)
      .run();
}

std::optional<std::string> Leases::holder(const std::string& name) {
  StoreSession& session = *m_store.m_session;
  Query query(session,
              "SELECT owner FROM service_lock WHERE name = :name AND lease_until > " + now_of(session, m_clock));
  query.columns("s").in(name);
  return query.next() ? std::optional(query.text()) : std::nullopt;
}

void Store::check_fencing(const std::string& lease, long long fencing) {
  // SHARE: a successor waits until this Write is over.
  Query query(*m_session, "SELECT fencing FROM service_lock WHERE name = :name" +
                              std::string(m_session->postgresql ? " FOR SHARE" : ""));
  query.columns("i").in(lease);
  if (!query.next() || query.integer() != fencing) {
    throw Error(ErrorKind::conflict,
                {"another server has taken over the task '" + lease + "'", "this one did not renew its lease in time",
                 "Its outcome was not stored.", "Nothing is to be done: the other server goes on with the task."});
  }
}

}  // namespace vdk::control

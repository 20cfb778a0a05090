// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/page_sessions.hpp"

#include <mutex>

#include "control/embedded/crypto.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"

namespace vdk::control {
namespace {

/// Whoever can read the database must not be able to use a login.
std::string row_of(const std::string& id) { return sha256_hex(id); }

std::string bound_to(std::string_view purpose) { return "operations page: " + std::string(purpose); }

class StoredSessions final : public PageSessions {
 private:
  /// One connection for all: each request is one short statement. A connection that is lost is opened again.
  template <typename Work>
  auto with_store(const Work& work) {
    const std::lock_guard lock(m_mutex);
    if (!m_session) {
      m_session = std::make_unique<StoreSession>();
      m_session->open(m_database, m_home);
    }
    try {
      return work(*m_session);
    } catch (...) {
      m_session.reset();
      throw;
    }
  }

 public:
  StoredSessions(const EmbeddedOptions& options, std::shared_ptr<const Clock> clock)
      : m_database(options.database), m_home(options.home), m_clock(std::move(clock)) {}

  bool insert(const std::string& id, const std::string& value, TimePoint end) override {
    return with_store([&](StoreSession& session) {
      Query(session, "DELETE FROM page_session WHERE end_time <= :now").in(m_clock->now()).run();
      Query query(session,
                  "INSERT INTO page_session (id, sealed, end_time, renewed_until) VALUES (:id, :sealed, :end, 0) "
                  "ON CONFLICT (id) DO NOTHING RETURNING id");
      query.columns("s").in(row_of(id)).in(seal(value, row_of(id))).in(end);
      return query.single();
    });
  }

  std::optional<std::string> find(const std::string& id) override {
    const auto sealed = with_store([&](StoreSession& session) {
      Query query(session, "SELECT sealed FROM page_session WHERE id = :id AND end_time > :now");
      query.columns("s").in(row_of(id)).in(m_clock->now());
      return query.next() ? std::optional(query.text()) : std::nullopt;
    });
    return sealed ? unseal(*sealed, row_of(id)) : std::nullopt;
  }

  void update(const std::string& id, const std::string& value) override {
    with_store([&](StoreSession& session) {
      Query(session, "UPDATE page_session SET sealed = :sealed, renewed_until = 0 WHERE id = :id")
          .in(seal(value, row_of(id)))
          .in(row_of(id))
          .run();
      return true;
    });
  }

  void erase(const std::string& id) override {
    with_store([&](StoreSession& session) {
      Query(session, "DELETE FROM page_session WHERE id = :id").in(row_of(id)).run();
      return true;
    });
  }

  bool claim(const std::string& id, std::chrono::milliseconds time) override {
    return with_store([&](StoreSession& session) {
      const TimePoint now = m_clock->now();
      Query query(session,
                  "UPDATE page_session SET renewed_until = :until WHERE id = :id AND renewed_until <= :now "
                  "RETURNING id");
      query.columns("s").in(now + time).in(row_of(id)).in(now);
      return query.single();
    });
  }

  std::string seal(std::string_view text, std::string_view purpose) override {
    return encrypt(load_secrets_key(m_home), text, bound_to(purpose));
  }

  std::optional<std::string> unseal(std::string_view sealed, std::string_view purpose) override {
    const std::string key = load_secrets_key(m_home);
    try {
      return decrypt(key, sealed, bound_to(purpose));
    } catch (const Error&) {
      return std::nullopt;  // of another service, or made up
    }
  }

 private:
  DatabaseOptions m_database;
  std::filesystem::path m_home;
  std::shared_ptr<const Clock> m_clock;
  std::mutex m_mutex;
  std::unique_ptr<StoreSession> m_session;
};

}  // namespace

std::shared_ptr<PageSessions> open_page_sessions(const EmbeddedOptions& options, std::shared_ptr<const Clock> clock) {
  return std::make_shared<StoredSessions>(options, std::move(clock));
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store.hpp"
#include "control/embedded/store_session.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {

bool Store::note_mail(const Mail& mail, TimePoint now) {
  Query query(
      *m_session,
      "INSERT INTO mail (key, recipients, subject, html, noted_time, attempts, next_try) "
      "VALUES (:key, :recipients, :subject, :html, :noted, 0, :next) ON CONFLICT (key) DO NOTHING RETURNING key");
  query.columns("s").in(mail.key).in(text::join(mail.recipients, "\n")).in(mail.subject).in(mail.html).in(now).in(now);
  return query.single();
}

std::vector<Mail> Store::claim_mails(TimePoint now, TimePoint until, int limit) {
  Query query(*m_session,
              "UPDATE mail SET attempts = attempts + 1, next_try = :until WHERE key IN (SELECT key FROM mail "
              "WHERE next_try <= :now ORDER BY next_try LIMIT :limit" +
                  std::string(m_session->postgresql ? " FOR UPDATE SKIP LOCKED" : "") +
                  ") RETURNING key, recipients, subject, html, attempts");
  query.columns("ssssi").in(until).in(now).in(limit);
  std::vector<Mail> result;
  while (query.next()) {
    Mail& mail = result.emplace_back();
    mail.key = query.text();
    mail.recipients = text::lines(query.text());
    mail.subject = query.text();
    mail.html = query.text();
    mail.attempts = static_cast<int>(query.integer());
  }
  return result;
}

void Store::mail_sent(const std::string& key) {
  Query(*m_session, "UPDATE mail SET next_try = NULL, html = '' WHERE key = :key").in(key).run();
}

void Store::mail_failed(const std::string& key, TimePoint next_try) {
  Query(*m_session, "UPDATE mail SET next_try = :next WHERE key = :key").in(next_try).in(key).run();
}

void Store::forget_mails(TimePoint noted_before) {
  Query(*m_session, "DELETE FROM mail WHERE noted_time < :before").in(noted_before).run();
}

}  // namespace vdk::control

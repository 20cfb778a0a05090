// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/notifications.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "control/embedded/mail_text.hpp"
#include "control/embedded/rules.hpp"
#include "vdk/control/counters.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto k_nap = 100ms;
constexpr auto k_look = 1s;
constexpr auto k_look_for_delays = 60s;
constexpr auto k_tidy = 1h;
/// Longer than sending one mail can take; a server that dies meanwhile leaves the mail to another one.
constexpr auto k_claim = 5min;
constexpr auto k_longest_pause = 30min;
constexpr std::chrono::hours k_kept{14 * 24};
constexpr int k_most_attempts = 100;        // two days of a mail server that is away
constexpr int k_most_attempts_refused = 5;  // of one that answers and takes no recipient

/// An address that can be in a mail's header and envelope.
bool is_address(std::string_view address) {
  const auto at = address.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
         std::all_of(address.begin(), address.end(), [](char c) {
           return static_cast<unsigned char>(c) > ' ' && c != '<' && c != '>' && c != ',' && c != ';' && c != '\x7f';
         });
}

std::vector<std::string> usable(const std::vector<std::string>& addresses, const std::string& key) {
  std::vector<std::string> result;
  for (const std::string& entry : addresses) {
    const std::string address(text::trim(entry));
    if (!address.empty() && !is_address(address)) {
      log::warning("mail " + key + ": '" + address + "' is not an address and is left out");
    } else if (!address.empty() && std::find(result.begin(), result.end(), address) == result.end()) {
      result.push_back(address);
    }
  }
  return result;
}

/// 10, 20, 40 … seconds, at most half an hour.
std::chrono::seconds pause_after(int attempts) {
  return std::min<std::chrono::seconds>(10s * (1LL << std::clamp(attempts - 1, 0, 10)), k_longest_pause);
}

std::string sender(const NotificationOptions& options) {
  return options.owner_email.empty() ? "vdk@localhost" : options.owner_email;
}

}  // namespace

void Notifier::note(const std::string& key, const std::vector<std::string>& contacts, const std::string& subject,
                    const std::string& html) {
  const std::vector<std::string> recipients = usable(contacts, key);
  if (!recipients.empty()) {
    (void)m_store.note_mail({key, recipients, subject, html, 0}, m_clock.now());
  }
}

void Notifier::deployment_ended(const DataJob& job, const Desired& desired, const std::optional<Error>& problem) {
  // A repetition by the service itself is nobody's wish, but its success ends a failure that was told.
  const bool wanted = desired.user_initiated || (!problem && desired.attempts > 0);
  if (m_options.notifications.mail.url.empty() || !wanted || !desired.send_notification) {
    return;
  }
  std::vector<std::string> contacts = job.contacts.notified_on_job_deploy;
  contacts.insert(contacts.end(), m_options.notifications.cc.begin(), m_options.notifications.cc.end());
  const bool user = problem && problem->kind() == ErrorKind::user_code;
  const std::string status = !problem ? "success" : user ? "user error" : "platform error";
  const auto date = desired.deployment.last_deployed_date;
  const std::string key =
      "deploy/" + job.job_name + "/" + std::to_string(date ? to_unix_micros(*date) : 0) + "/" + status;
  note(key, contacts, std::string("[deploy][data job ") + (problem ? "failure" : "success") + "] " + job.job_name,
       deployment_mail(job, desired.deployment, status, problem));
}

void Notifier::execution_ended(const Execution& execution) {
  if (m_options.notifications.mail.url.empty()) {
    return;
  }
  const auto job = m_store.find_job(execution.job_name);
  if (!job || !job->enable_execution_notifications) {
    return;
  }
  const auto* contacts = &job->contacts.notified_on_job_success;
  std::string word = "success";
  if (execution.status == ExecutionStatus::user_error) {
    contacts = &job->contacts.notified_on_job_failure_user_error;
    word = "user error";
  } else if (execution.status == ExecutionStatus::platform_error) {
    contacts = &job->contacts.notified_on_job_failure_platform_error;
    word = "platform error";
  } else if (execution.status != ExecutionStatus::succeeded) {
    return;
  }
  Execution shown = execution;
  shown.logs_url = logs_url(m_options, execution, job->team);
  note("run/" + execution.id, *contacts, "[" + word + "][data job run] " + job->job_name,
       execution_mail(*job, shown, word));
}

void Notifier::note_delays() {
  const TimePoint now = m_clock.now();
  for (const ExecutionRow& row : m_store.unfinished({})) {
    const Execution& execution = row.execution;
    const auto job = m_store.find_job(execution.job_name);
    if (!job || !job->enable_execution_notifications || job->notification_delay_period_minutes <= 0 ||
        job->schedule_cron.empty()) {
      continue;
    }
    const auto due = Cron::parse(job->schedule_cron).next(execution.scheduled_time.value_or(row.submitted_time));
    if (due && now - *due > std::chrono::minutes(job->notification_delay_period_minutes)) {
      note("delay/" + execution.id, job->contacts.notified_on_job_failure_platform_error,
           "[data job delay] " + job->job_name, delay_mail(*job, execution, *due));
    }
  }
}

int Notifier::send_waiting(const std::atomic<bool>& stop) {
  int sent = 0;
  while (!stop) {
    const std::vector<Mail> claimed = m_store.claim_mails(m_clock.now(), m_clock.now() + k_claim, 1);
    if (claimed.empty()) {
      return sent;
    }
    const Mail& mail = claimed.front();
    const NotificationOptions& options = m_options.notifications;
    try {
      const auto outcome = http::send_mail(
          options.mail, {sender(options), options.owner_name, mail.recipients, {}, mail.subject, mail.html});
      for (const auto& [address, answer] : outcome.refused) {
        log::warning("mail " + mail.key + ": the mail server refuses '" + address + "': " + answer);
      }
      m_store.mail_sent(mail.key);
      ++counters().mails_sent;
      ++sent;
    } catch (const Error& problem) {
      ++counters().mails_failed;
      const bool away = problem.kind() == ErrorKind::unreachable;
      if (mail.attempts >= (away ? k_most_attempts : k_most_attempts_refused)) {
        log::error("mail " + mail.key + " is given up after " + std::to_string(mail.attempts) +
                   " attempts: " + problem.what());
        m_store.mail_sent(mail.key);
        continue;
      }
      log::warning("mail " + mail.key + " is not sent yet: " + problem.what());
      m_store.mail_failed(mail.key, m_clock.now() + pause_after(mail.attempts));
      if (away) {
        return sent;  // the others would only wait for the same
      }
    }
  }
  return sent;
}

void Notifier::run(const EmbeddedOptions& options, const Clock& clock, const std::atomic<bool>& stop) {
  if (options.notifications.mail.url.empty()) {
    return;
  }
  std::unique_ptr<Store> store;
  std::string last_problem;
  Steady::time_point next = Steady::now();
  Steady::time_point next_delays = next;
  Steady::time_point next_tidy = next;
  for (; !stop; std::this_thread::sleep_for(k_nap)) {
    const auto now = Steady::now();
    if (now < next) {
      continue;
    }
    next = now + k_look;
    try {
      if (!store) {
        store = std::make_unique<Store>(options.database, options.home);
      }
      Notifier notifier(options, clock, *store);
      if (now >= next_delays) {
        next_delays = now + k_look_for_delays;
        notifier.note_delays();
      }
      if (now >= next_tidy) {
        next_tidy = now + k_tidy;
        store->forget_mails(clock.now() - k_kept);
      }
      (void)notifier.send_waiting(stop);
      last_problem.clear();
    } catch (const std::exception& problem) {
      store.reset();
      if (last_problem != problem.what()) {
        last_problem = problem.what();
        log::error("notifications: " + last_problem);
      }
    }
  }
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "control/embedded/store.hpp"
#include "vdk/control/embedded.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {

/// Mails to the contacts of jobs. The result of a roll-out or an execution is noted in the same transaction that stores
/// it; a thread of each server sends what is noted. So a result is mailed once however many servers there are, nobody
/// waits for a mail server, and what could not be sent yet is still there after a restart. Does nothing when no mail
/// server is configured.
class Notifier {
 public:
  Notifier(const EmbeddedOptions& options, const Clock& clock, Store& store)
      : m_options(options), m_clock(clock), m_store(store) {}

  /// To be called inside the Write that stores the outcome of a roll-out (set_outcome), with the desired deployment as
  /// it was read. `problem` empty = success. Mails only what a user asked for (Desired::user_initiated), once per
  /// deployment and status.
  void deployment_ended(const DataJob& job, const Desired& desired, const std::optional<Error>& problem);
  /// To be called inside the Write that makes an execution final. Mails the contacts of its status once, unless the job
  /// has switched that off.
  void execution_ended(const Execution& execution);

  /// Send what is noted and due; returns how many mails went out.
  int send_waiting(const std::atomic<bool>& stop);
  /// Note a mail for each execution because of which the next one is later than the job tolerates.
  void note_delays();
  /// The whole task: sends, and looks for delays once a minute, until `stop`; never throws.
  static void run(const EmbeddedOptions& options, const Clock& clock, const std::atomic<bool>& stop);

 private:
  void note(const std::string& key, const std::vector<std::string>& contacts, const std::string& subject,
            const std::string& html);
  const EmbeddedOptions& m_options;
  const Clock& m_clock;
  Store& m_store;
};

}  // namespace vdk::control

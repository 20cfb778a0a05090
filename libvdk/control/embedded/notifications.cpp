// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/notifications.hpp"

namespace vdk::control {

void Notifier::deployment_ended(const DataJob& /*job*/, const Desired& /*desired*/,
                                const std::optional<Error>& /*problem*/) {}
void Notifier::execution_ended(const Execution& /*execution*/) {}
int Notifier::send_waiting(const std::atomic<bool>& /*stop*/) { return 0; }
void Notifier::note_delays() {}
void Notifier::run(const EmbeddedOptions& /*options*/, const Clock& /*clock*/, const std::atomic<bool>& /*stop*/) {}

}  // namespace vdk::control

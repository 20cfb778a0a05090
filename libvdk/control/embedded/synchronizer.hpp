// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// Brings what runs in step with what is wanted. Holds HOME/synchronizer.lock while it works on the target, so that
/// processes take turns; a roll-out that died half-way is found by comparing the rows and done again.
class Synchronizer {
 public:
  explicit Synchronizer(const Context& context) : m_context(context) {}

  /// Bring one job in step. `again` applies even when the rows agree (the target lost it). Failures are stored, not
  /// thrown.
  void roll_out(const std::string& job, bool again, const target::Progress& progress);
  /// Everything that is out of step; with `inspect` also compares with the target itself and with the present settings.
  /// Returns how many jobs were worked on.
  int pass(bool inspect);

 private:
  void remove(const std::string& job);
  void note_failure(const Desired& desired, const Error& problem);
  void rehash();
  Context m_context;
};

}  // namespace vdk::control

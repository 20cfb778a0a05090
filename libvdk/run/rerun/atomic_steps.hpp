// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "run/rerun/store.hpp"

namespace vdk::run {

/// Copies of the SQLite databases from before the step that runs, put back when it fails: whatever connection wrote to
/// them. A copy is made again only when the database changed.
class AtomicSteps {
 public:
  AtomicSteps(RerunStore& store, const Session& session) : m_store(store), m_session(session) {}
  void begin(const std::string& identity);
  /// After all connections are closed: put back what the last step did, or forget the copies.
  void end(bool failed);
  /// A run that was killed left its copies: put them back. Returns the step that was cut off, empty when none was.
  static std::string recover(RerunStore& store, const LogLines& lines);

 private:
  RerunStore& m_store;
  const Session& m_session;
  Texts m_stamps;
  bool m_warned = false;
};

}  // namespace vdk::run

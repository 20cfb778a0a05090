// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

namespace vdk::run {

/// A small process that outlives us when we are killed, and then kills what the steps have started. It knows that by a
/// mark in the environment, which processes inherit.
class Warden {
 public:
  /// Without one where no process can be made: the run goes on.
  Warden();
  /// Lets it go.
  ~Warden();
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  /// For the environment of what is guarded.
  static constexpr const char* variable = "VDK_RUN_MARK";
  [[nodiscard]] std::string value() const;

 private:
  void watch(int pipe) const noexcept;
  std::string m_mark;
  int m_pipe = -1;
  pid_t m_pid = -1;
};

}  // namespace vdk::run

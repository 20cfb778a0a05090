// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "vdk/run/observer.hpp"

namespace vdk::run {

/// As long as it lives, what anybody writes to standard output and error comes through a thread of this process, which
/// passes it on and tells the observer. A stream that is a terminal stays one for the steps.
class OutputRelay {
 public:
  /// Does nothing when the observer wants no output and there is no screen. A screen alone needs the terminals only.
  OutputRelay(Observer* observer, Screen* screen);
  ~OutputRelay();
  OutputRelay(const OutputRelay&) = delete;
  OutputRelay& operator=(const OutputRelay&) = delete;

  /// What was written before has been passed on.
  void drain();
  /// A line of our own, after what was written before.
  void write_error(std::string_view line);
  [[nodiscard]] bool is_active() const noexcept { return m_state != nullptr; }
  /// Goes in front of log records on standard error (a line of JSON each); empty when nobody listens.
  [[nodiscard]] std::string log_mark() const;

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace vdk::run {

/// A descriptor or file that lines are written to at once, without ever waiting for long: one that cannot be written to
/// is given up with a warning.
class EventSink {
 public:
  /// As EventStream has it. Throws Error(usage).
  EventSink(const std::string& where, std::chrono::milliseconds patience);
  ~EventSink();
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  void write(std::string_view line);

 private:
  [[nodiscard]] bool wait(std::chrono::steady_clock::time_point end) const;
  [[nodiscard]] long put(std::string_view part) const;
  void give_up(const std::string& why);

  std::string m_where;
  std::chrono::milliseconds m_patience;
  int m_descriptor = -1;
  std::size_t m_chunk;  ///< what a poll() that says "writable" has room for
  bool m_socket = false;
};

}  // namespace vdk::run

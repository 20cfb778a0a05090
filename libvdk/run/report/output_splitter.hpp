// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vdk::run {

/// Finds the notes that stand between the bytes of a stream: a mark, a text, a line end.
class OutputSplitter {
 public:
  using Taker = std::function<void(std::string_view)>;
  OutputSplitter(std::string mark, Taker bytes, Taker note);

  void feed(std::string_view more);
  /// Nothing follows: what began like a note was none.
  void end();

 private:
  std::string m_mark;
  Taker m_bytes;
  Taker m_note;
  std::string m_held;
};

}  // namespace vdk::run

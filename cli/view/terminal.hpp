// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Standard streams as a person sees them.
namespace vdk::cli {

/// Write to standard output and check it; a reader that went away ends the program quietly.
void print(std::string_view text);

/// Standard streams that nobody has given lead nowhere: a file that is opened later must not take their place,
/// for what steps print would go into it.
void open_closed_streams();

/// While it lives, what this process and its children write to standard output goes to standard error: standard output
/// is kept for one document.
class StdoutToStderr {
 public:
  /// Does nothing unless `wanted`.
  explicit StdoutToStderr(bool wanted);
  ~StdoutToStderr();
  StdoutToStderr(const StdoutToStderr&) = delete;
  StdoutToStderr& operator=(const StdoutToStderr&) = delete;

 private:
  int m_saved = -1;
};

/// Standard input and error are a terminal, so a question can be asked and seen.
[[nodiscard]] bool can_prompt() noexcept;
/// Ask for one line; empty answer gives `fallback` when there is one. Without a terminal: Error(usage) that names
/// `flag`.
[[nodiscard]] std::string prompt(const std::string& question, const std::string& flag,
                                 const std::optional<std::string>& fallback = std::nullopt);
/// One line as it was typed, which may be empty.
[[nodiscard]] std::string ask_line(const std::string& question, const std::string& flag);
/// The same without showing what is typed.
[[nodiscard]] std::string prompt_hidden(const std::string& question, const std::string& alternative);
/// Yes or no; no by default. Without a terminal: Error(usage) that names `flag`.
[[nodiscard]] bool confirm(const std::string& question, const std::string& flag);
/// All of standard input.
[[nodiscard]] std::string read_standard_input();

/// Colour on standard error: a terminal, and neither NO_COLOR nor TERM=dumb.
[[nodiscard]] bool colour_on_stderr();

/// Standard error is a terminal that can erase what is on a line.
[[nodiscard]] bool can_redraw();

/// One status line on a terminal; nothing elsewhere.
class ProgressLine {
 public:
  /// `descriptor`: where standard error really leads to.
  explicit ProgressLine(bool enabled, int descriptor = 2);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void update(std::string_view text);
  void clear();

 private:
  void write(std::string_view text) const;
  bool m_enabled;
  int m_descriptor;
  bool m_shown = false;
  std::string m_line;
};

}  // namespace vdk::cli

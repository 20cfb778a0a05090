// SPDX-License-Identifier: Apache-2.0
#include "cli/view/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

[[noreturn]] void refuse_prompt(const std::string& question, const std::string& flag) {
  throw Error(ErrorKind::usage,
              {"missing: " + question, "there is no terminal to ask on", "nothing was done", "give " + flag});
}

/// One line without reading ahead, so that nothing after it is lost.
std::string read_line() {
  std::string line;
  char c = 0;
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      std::fputc('\n', stderr);
      throw Error(ErrorKind::operation, {"aborted", "standard input ended before an answer", "nothing was done", ""});
    }
    if (c == '\n') {
      return line;
    }
    line += c;
  }
}

termios g_terminal_before{};  // for the signal handler

/// Ctrl-C at a hidden answer ends vdk as always, and leaves a terminal that shows again what is typed.
void show_and_die(int number) {
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_terminal_before);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void point(int stream, int where) {
  while (::dup2(where, stream) < 0 && errno == EINTR) {
  }
}

class EchoOff {
 public:
  EchoOff() {
    m_active = ::tcgetattr(STDIN_FILENO, &m_before) == 0;
    termios quiet = m_before;
    g_terminal_before = m_before;
    struct sigaction action {};
    action.sa_handler = show_and_die;
    for (std::size_t i = 0; m_active && i < k_signals.size(); ++i) {
      ::sigaction(k_signals[i], &action, &m_actions[i]);
    }
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (m_active) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
  }
  ~EchoOff() {
    if (m_active) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before);
    }
    for (std::size_t i = 0; m_active && i < k_signals.size(); ++i) {
      ::sigaction(k_signals[i], &m_actions[i], nullptr);
    }
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  static constexpr std::array<int, 4> k_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  termios m_before{};
  std::array<struct sigaction, 4> m_actions{};
  bool m_active = false;
};

}  // namespace

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EPIPE) {
        std::_Exit(0);  // `vdk list | head`: the reader has what it wanted
      }
      throw system_error("cannot write to standard output", errno, "check where the output goes");
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void open_closed_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) < 0) {
      // The lowest free number is given; it stays open for the steps.
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    }
  }
}

StdoutToStderr::StdoutToStderr(bool wanted) {
  if (wanted) {
    std::fflush(stdout);
    m_saved = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  }
  if (m_saved >= 0) {
    point(STDOUT_FILENO, STDERR_FILENO);
  }
}

StdoutToStderr::~StdoutToStderr() {
  if (m_saved >= 0) {
    std::fflush(stdout);
    point(STDOUT_FILENO, m_saved);
    ::close(m_saved);
  }
}

bool can_prompt() noexcept { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

std::string prompt(const std::string& question, const std::string& flag, const std::optional<std::string>& fallback) {
  if (!can_prompt()) {
    refuse_prompt(question, flag);
  }
  while (true) {
    std::fputs((question + (fallback ? " [" + *fallback + "]" : "") + ": ").c_str(), stderr);
    const std::string answer(text::trim(read_line()));
    if (!answer.empty()) {
      return answer;
    }
    if (fallback) {
      return *fallback;
    }
  }
}

std::string ask_line(const std::string& question, const std::string& flag) {
  if (!can_prompt()) {
    refuse_prompt(question, flag);
  }
  std::fputs((question + ": ").c_str(), stderr);
  return read_line();
}

std::string prompt_hidden(const std::string& question, const std::string& alternative) {
  if (!can_prompt()) {
    refuse_prompt(question, alternative);
  }
  const EchoOff quiet;  // before the question is seen: who answers at once must not be shown either
  std::fputs((question + ": ").c_str(), stderr);
  std::string answer = read_line();
  std::fputc('\n', stderr);
  return answer;
}

bool confirm(const std::string& question, const std::string& flag) {
  if (!can_prompt()) {
    throw Error(ErrorKind::usage, {"cannot go on without a confirmation", "there is no terminal to ask on",
                                   "nothing was done", "give " + flag + " to confirm"});
  }
  std::fputs((question + " [y/N]: ").c_str(), stderr);
  const std::string answer = text::lower(text::trim(read_line()));
  return answer == "y" || answer == "yes";
}

std::string read_standard_input() {
  std::string all;
  char buffer[8192];
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      throw system_error("cannot read standard input", errno, "give the value in a file instead");
    }
    if (n == 0) {
      return all;
    }
    all.append(buffer, static_cast<std::size_t>(n));
  }
}

bool colour_on_stderr() {
  const auto term = process::environment("TERM");
  return ::isatty(STDERR_FILENO) == 1 && process::environment("NO_COLOR").value_or("").empty() && term &&
         *term != "dumb";
}

bool can_redraw() {
  const auto term = process::environment("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term && *term != "dumb" && !term->empty();
}

ProgressLine::ProgressLine(bool enabled, int descriptor)
    : m_enabled(enabled && can_redraw()), m_descriptor(descriptor) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::update(std::string_view text) {
  if (!m_enabled) {
    return;
  }
  winsize size{};
  std::size_t columns = 80;
  if (::ioctl(m_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    columns = size.ws_col;
  }
  std::string line(text);
  while (text::display_width(line) + 1 > columns && !line.empty()) {
    line.pop_back();
    while (!line.empty() && !text::is_valid_utf8(line)) {
      line.pop_back();
    }
  }
  if (m_shown && line == m_line) {
    return;
  }
  write("\r\x1b[K" + line);
  m_line = std::move(line);
  m_shown = true;
}

void ProgressLine::clear() {
  if (m_shown) {
    write("\r\x1b[K");
    m_shown = false;
  }
}

void ProgressLine::write(std::string_view text) const {
  std::fflush(stderr);
  while (!text.empty()) {
    const ssize_t n = ::write(m_descriptor, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
}

}  // namespace vdk::cli

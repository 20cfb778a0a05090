// SPDX-License-Identifier: Apache-2.0
#include "cli/view/run_progress.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/run.hpp"

namespace vdk::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_tick{50};
constexpr milliseconds k_silence{300};  // before the line may come: others may be about to go on
constexpr milliseconds k_between_draws{250};
constexpr int k_safe_descriptor = 10;  // above what a shell's redirections name

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const auto value = process::environment(name); value && !value->empty()) {
      const std::string lower = text::lower(*value);
      return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
    }
  }
  return false;
}

std::string grouped(long long number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, 1, ',');
  }
  return digits;
}

std::string duration(std::chrono::steady_clock::duration passed) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(passed).count();
  return seconds < 3600 ? fmt::format("{:02}:{:02}", seconds / 60, seconds % 60)
                        : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/// Somebody else has the terminal while a shell keeps us in the background.
bool is_foreground(int terminal) {
  const pid_t group = ::tcgetpgrp(terminal);
  return group < 0 || group == ::getpgrp();
}

}  // namespace

RunProgress::RunProgress()
    : m_terminal(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, k_safe_descriptor)),
      m_line(m_terminal >= 0, m_terminal),
      m_between(is_utf8_locale() ? " \u00b7 " : ", ") {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // they are for the thread that runs the job
  m_ticker = std::thread([this] { tick(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RunProgress::~RunProgress() {
  {
    const std::lock_guard lock(m_mutex);
    m_ends = true;
    m_line.clear();
  }
  m_wake.notify_all();
  m_ticker.join();
  ::close(m_terminal);
}

void RunProgress::step_started(const run::StepStart& start) {
  const std::lock_guard lock(m_mutex);
  m_running.push_back({start.step.name, start.number, start.count, SteadyClock::now(), 0, {}});
}

void RunProgress::step_ended(const run::StepResult& /*result*/, int /*depth*/) {
  const std::lock_guard lock(m_mutex);
  m_line.clear();
  const long long rows = m_running.back().rows;
  m_running.pop_back();
  if (!m_running.empty()) {
    m_running.back().rows += rows;
  }
}

void RunProgress::ingested(std::string_view /*method*/, std::string_view /*table*/, long long rows) {
  const std::lock_guard lock(m_mutex);
  if (!m_running.empty()) {
    m_running.back().rows += rows;
  }
}

void RunProgress::progress(std::string_view text) {
  const std::lock_guard lock(m_mutex);
  if (!m_running.empty()) {
    m_running.back().text = text;
  }
}

bool RunProgress::write(int descriptor, std::string_view bytes) {
  const std::lock_guard lock(m_mutex);
  if (::isatty(descriptor) != 0) {
    m_line.clear();
    m_written = SteadyClock::now();
    m_at_line_start = bytes.empty() ? m_at_line_start : bytes.back() == '\n';
  }
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
      return false;
    }
    bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
  return true;
}

void RunProgress::tick() {
  std::unique_lock lock(m_mutex);
  SteadyClock::time_point drawn;
  while (!m_ends) {
    m_wake.wait_for(lock, k_tick);
    const auto now = SteadyClock::now();
    if (run::is_interrupted()) {
      m_line.clear();  // a second Ctrl-C ends everything at once
    } else if (!m_ends && now - drawn >= k_between_draws && draw()) {
      drawn = now;
    }
  }
}

bool RunProgress::draw() {
  const auto now = SteadyClock::now();
  const bool may = !m_running.empty() && m_at_line_start && now - m_written >= k_silence &&
                   now - m_running.front().since >= k_silence && is_foreground(m_terminal);
  if (may) {
    m_line.update(line());
  }
  return may;
}

std::string RunProgress::line() const {
  const Running& outer = m_running.front();
  const Running& inner = m_running.back();
  std::string text = fmt::format("[{}/{}] {}", outer.number, outer.count, outer.name);
  if (m_running.size() > 1) {
    text += " > " + inner.name;
  }
  text += " " + duration(SteadyClock::now() - outer.since);
  long long rows = 0;
  for (const Running& running : m_running) {
    rows += running.rows;
  }
  if (rows > 0) {
    text += m_between + grouped(rows) + (rows == 1 ? " row ingested" : " rows ingested");
  }
  return inner.text.empty() ? text : text + m_between + inner.text;
}

}  // namespace vdk::cli

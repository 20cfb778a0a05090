// SPDX-License-Identifier: Apache-2.0
#include "run/report/output_relay.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "run/process/signals.hpp"
#include "run/report/output_splitter.hpp"
#include "vdk/core/log.hpp"

namespace vdk::run {

namespace {

constexpr int k_safe_descriptor = 10;  // above what a shell's redirections name
constexpr std::string_view k_drained = "drained ";

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd room{descriptor, POLLOUT, 0};
      (void)::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// No step can print it by chance.
std::string random_mark() {
  std::random_device random;
  std::string mark = "\x1e";
  for (int i = 0; i < 4; ++i) {
    mark += std::to_string(random()) + "-";
  }
  return mark;
}

struct Ends {
  int reader = -1;
  int writer = -1;
};

/// A terminal for a terminal: programs colour and buffer their output by that.
Ends open_ends(int real) {
  Ends ends;
  termios settings{};
  winsize size{};
  if (::tcgetattr(real, &settings) == 0) {
    ::cfmakeraw(&settings);  // the real one does what there is to do
    (void)::ioctl(real, TIOCGWINSZ, &size);
    if (::openpty(&ends.reader, &ends.writer, nullptr, &settings, &size) == 0) {
      (void)::fcntl(ends.reader, F_SETFD, FD_CLOEXEC);
      return ends;
    }
  }
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) == 0) {
    ends = {pipe[0], pipe[1]};
  }
  return ends;
}

/// Signals are for the thread that runs the job.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all{};
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &m_before);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t m_before{};
};

}  // namespace

struct OutputRelay::State {
  struct Channel {
    int descriptor;  ///< 1 or 2, into which others write
    int real;        ///< where it leads to
    int reader;
    bool terminal;
    std::unique_ptr<OutputSplitter> splitter;
    long long drained = 0;
  };

  State(Observer* the_observer, Screen* the_screen)
      : observer(the_observer != nullptr && the_observer->wants_output() ? the_observer : nullptr),
        screen(the_screen),
        mark(random_mark()) {}

  ~State() {
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
      if (const int real = reals.at(static_cast<std::size_t>(descriptor)); real >= 0) {
        (void)::dup2(real, descriptor);
      }
    }
    stop = true;
    (void)write_all(wake[1], "x");
    if (thread.joinable()) {
      thread.join();
    }
    for (Channel& channel : channels) {
      close_reader(channel);
    }
    for (const int descriptor : {reals[1], reals[2], wake[0], wake[1]}) {
      if (descriptor >= 0) {
        ::close(descriptor);
      }
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static void close_reader(Channel& channel) {
    if (channel.reader >= 0) {
      ::close(channel.reader);
      channel.reader = -1;
    }
  }

  bool start() {
    const bool out = observer != nullptr || ::isatty(STDOUT_FILENO) != 0;
    const bool error = observer != nullptr || ::isatty(STDERR_FILENO) != 0;
    if (::pipe2(wake.data(), O_CLOEXEC) != 0) {
      return false;
    }
    channels.reserve(2);
    if (error) {
      open(STDERR_FILENO);
    }
    // With nobody who tells the streams apart, one way for both keeps their order.
    if (out && observer == nullptr && !channels.empty()) {
      share(STDOUT_FILENO);
    } else if (out) {
      open(STDOUT_FILENO);
    }
    if (channels.empty()) {
      return false;
    }
    const NoSignals quiet;
    thread = std::thread([this] { serve(); });
    return true;
  }

  int keep(int descriptor) {
    return reals.at(static_cast<std::size_t>(descriptor)) = ::fcntl(descriptor, F_DUPFD_CLOEXEC, k_safe_descriptor);
  }

  void open(int descriptor) {
    const int real = keep(descriptor);
    const Ends ends = real < 0 ? Ends{} : open_ends(real);
    if (ends.writer < 0) {
      return;
    }
    (void)::dup2(ends.writer, descriptor);
    ::close(ends.writer);
    (void)::fcntl(ends.reader, F_SETFL, ::fcntl(ends.reader, F_GETFL) | O_NONBLOCK);
    channels.push_back({descriptor, real, ends.reader, ::isatty(descriptor) != 0, nullptr});
    const std::size_t index = channels.size() - 1;
    channels.back().splitter = std::make_unique<OutputSplitter>(
        mark, [this, index](std::string_view bytes) { pass_on(channels[index], bytes); },
        [this, index](std::string_view note) { take_note(channels[index], note); });
  }

  void share(int descriptor) {
    if (keep(descriptor) >= 0) {
      (void)::dup2(channels.front().descriptor, descriptor);
    }
  }

  bool put(int real, std::string_view bytes) const {
    return screen != nullptr ? screen->write(real, bytes) : write_all(real, bytes);
  }

  void pass_on(Channel& channel, std::string_view bytes) {
    if (!put(channel.real, bytes)) {
      close_reader(channel);  // who writes next hears that nobody reads any more
    }
    if (observer != nullptr) {
      observer->output(channel.descriptor == STDOUT_FILENO ? OutputStream::out : OutputStream::error, bytes);
    }
  }

  void take_note(Channel& channel, std::string_view note) {
    if (note.starts_with(k_drained)) {
      const std::lock_guard lock(mutex);
      channel.drained = std::atoll(std::string(note.substr(k_drained.size())).c_str());
      changed.notify_all();
      return;
    }
    const auto record = nlohmann::json::parse(note, nullptr, false);
    if (!record.is_object() || observer == nullptr) {
      pass_on(channel, note);
      return;
    }
    const auto text = [&](const char* name) {
      const auto found = record.find(name);
      return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    (void)put(channel.real, text("text") + "\n");
    observer->logged({text("level"), text("logger"), text("message"), text("exception")});
  }

  void serve() {
    std::vector<char> buffer(1U << 16U);
    while (!stop) {
      std::vector<pollfd> waits{{wake[0], POLLIN, 0}};
      for (const Channel& channel : channels) {
        waits.push_back({channel.reader, POLLIN, 0});
      }
      (void)::poll(waits.data(), waits.size(), 500);
      for (Channel& channel : channels) {
        read(channel, buffer);
      }
    }
    for (Channel& channel : channels) {
      read(channel, buffer);
      channel.splitter->end();
    }
  }

  void read(Channel& channel, std::vector<char>& buffer) {
    winsize size{};
    if (channel.terminal && channel.reader >= 0 && ::ioctl(channel.real, TIOCGWINSZ, &size) == 0) {
      (void)::ioctl(channel.reader, TIOCSWINSZ, &size);
    }
    // Who writes without end must not keep the other stream waiting.
    for (int i = 0; i < 16 && channel.reader >= 0; ++i) {
      const ssize_t n = ::read(channel.reader, buffer.data(), buffer.size());
      if (n <= 0) {
        return;
      }
      channel.splitter->feed({buffer.data(), static_cast<std::size_t>(n)});
    }
  }

  void drain() {
    if (std::this_thread::get_id() == thread.get_id()) {
      return;
    }
    std::fflush(stdout);
    ++asked;
    for (Channel& channel : channels) {
      if (!write_all(channel.descriptor, mark + std::string(k_drained) + std::to_string(asked) + "\n")) {
        continue;
      }
      std::unique_lock lock(mutex);
      // One who reads slowly makes the run wait, as he always does; after Ctrl-C not for long.
      for (int tries = 0; channel.drained < asked && (SignalGuard::received() == 0 || tries < 5); ++tries) {
        changed.wait_for(lock, std::chrono::milliseconds(100));
      }
    }
  }

  Observer* observer;
  Screen* screen;
  std::string mark;
  std::vector<Channel> channels;
  std::array<int, 3> reals{-1, -1, -1};
  std::array<int, 2> wake{-1, -1};
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable changed;
  long long asked = 0;
  std::thread thread;
};

OutputRelay::OutputRelay(Observer* observer, Screen* screen) {
  if (screen == nullptr && (observer == nullptr || !observer->wants_output())) {
    return;
  }
  std::fflush(stdout);
  auto state = std::make_unique<State>(observer, screen);
  if (state->start()) {
    m_state = std::move(state);
  }
}

OutputRelay::~OutputRelay() {
  if (m_state) {
    m_state->drain();
  }
}

void OutputRelay::drain() {
  if (m_state) {
    m_state->drain();
  }
}

void OutputRelay::write_error(std::string_view line) {
  m_state->drain();
  const int real = m_state->reals[STDERR_FILENO];
  (void)m_state->put(real >= 0 ? real : STDERR_FILENO, line);
}

std::string OutputRelay::log_mark() const {
  return m_state && m_state->observer != nullptr ? m_state->mark : std::string();
}

}  // namespace vdk::run

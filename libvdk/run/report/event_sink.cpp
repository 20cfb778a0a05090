// SPDX-License-Identifier: Apache-2.0
#include "run/report/event_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t k_terminal_chunk = 256;

[[noreturn]] void refuse(const std::string& where, const std::string& why, const std::string& way_out) {
  throw Error(ErrorKind::usage, {"cannot write events to '" + where + "'", why, "nothing was run", way_out});
}

int take_descriptor(const std::string& where) {
  const auto number = text::parse_int(where);
  if (!number || *number > INT_MAX) {
    refuse(where, "it is no number of a descriptor", "Open one in the shell: --events 3 3>events.jsonl");
  }
  const int descriptor = static_cast<int>(*number);
  if (descriptor <= STDERR_FILENO) {
    refuse(where, "standard input, output and error belong to the job and its logs",
           "Use another one, --events 3 3>events.jsonl; with 3>&1 1>&2 a pipe gets the events alone");
  }
  // One that closes on exec is not the caller's: vdk has opened it for itself.
  const int flags = ::fcntl(descriptor, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) {
    refuse(
        where, "descriptor " + where + " is not open",
        "Open it in the shell: --events " + where + " " + where + ">events.jsonl; a file of that name is ./" + where);
  }
  if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
    refuse(where, "descriptor " + where + " is open for reading only",
           "Open it for writing: " + where + ">events.jsonl");
  }
  (void)::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // not for the job's code; the reader sees the end when we end
  return descriptor;
}

int open_file(const std::string& where) {
  // A pipe without a reader must not hold us up.
  const int descriptor =
      ::open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, S_IRUSR | S_IWUSR);
  if (descriptor > STDERR_FILENO) {
    return descriptor;
  }
  if (descriptor >= 0) {  // a standard stream is closed: what steps print must not end up here
    const int higher = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ::close(descriptor);
    return higher;
  }
  if (errno == ENXIO) {
    refuse(where, "nobody reads from this pipe", "Start the reader first");
  }
  refuse(where, std::strerror(errno), "Name a file in a folder that exists and that you may write to");
}

bool is_descriptor(const std::string& where) {
  return !where.empty() && where.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

EventSink::EventSink(const std::string& where, milliseconds patience) : m_where(where), m_patience(patience) {
  if (where.empty()) {
    refuse(where, "the name is empty", "Give a file, or the number of an open descriptor");
  }
  m_descriptor = is_descriptor(where) ? take_descriptor(where) : open_file(where);
  m_chunk = ::isatty(m_descriptor) != 0 ? k_terminal_chunk : PIPE_BUF;
  struct stat found {};
  m_socket = ::fstat(m_descriptor, &found) == 0 && S_ISSOCK(found.st_mode);
}

EventSink::~EventSink() {
  if (m_descriptor >= 0) {
    ::close(m_descriptor);
  }
}

// O_NONBLOCK would change the descriptor for everybody who shares it, so what has room is written bit by bit.
void EventSink::write(std::string_view line) {
  const auto end = steady_clock::now() + m_patience;
  while (m_descriptor >= 0 && !line.empty()) {
    if (!wait(end)) {
      give_up("its reader has taken nothing for " + std::to_string(m_patience.count() / 1000) + " seconds");
      return;
    }
    const long done = put(line.substr(0, m_chunk));
    if (done >= 0) {
      line.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      give_up("its reader has gone away");
    } else if (errno != EINTR && errno != EAGAIN) {
      give_up(std::strerror(errno));
    }
  }
}

bool EventSink::wait(steady_clock::time_point end) const {
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now()).count();
    pollfd asked{m_descriptor, POLLOUT, 0};
    const int ready = ::poll(&asked, 1, static_cast<int>(std::max<long long>(left, 0)));
    if (ready > 0) {
      return true;  // an error too: the write tells which
    }
    if (left <= 0 || (ready < 0 && errno != EINTR)) {
      return false;
    }
  }
}

long EventSink::put(std::string_view part) const {
  return m_socket ? ::send(m_descriptor, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                  : ::write(m_descriptor, part.data(), part.size());
}

void EventSink::give_up(const std::string& why) {
  ::close(m_descriptor);
  m_descriptor = -1;  // first: the warning is an event too
  log::warning("events are no longer written to '" + m_where + "': " + why + "; the run goes on");
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/python/host.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "run/process/descendants.hpp"
#include "run/process/signals.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::run {

namespace {

constexpr int child_fd = 3;
constexpr int poll_milliseconds = 200;

Error cannot_start(const std::filesystem::path& interpreter, int number) {
  return Error(ErrorKind::platform, {"cannot start Python ('" + interpreter.string() + "')", std::strerror(number),
                                     "the Python steps of the job cannot run",
                                     "Install that interpreter, or set VDK_PYTHON to the path of another one"});
}

/// Our environment with a variable more.
class Environment {
 public:
  explicit Environment(std::string variable) : m_variable(std::move(variable)) {
    const std::string_view name(m_variable.data(), m_variable.find('=') + 1);
    for (char** at = environ; *at != nullptr; ++at) {
      if (!std::string_view(*at).starts_with(name)) {
        m_all.push_back(*at);
      }
    }
    m_all.push_back(m_variable.data());
    m_all.push_back(nullptr);
  }
  [[nodiscard]] char* const* data() const noexcept { return m_all.data(); }

 private:
  std::string m_variable;
  std::vector<char*> m_all;
};

[[noreturn]] void become_python(const std::vector<char*>& argv, const Environment& environment, int socket,
                                int report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a job must not go on when vdk is gone
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  if (socket == child_fd) {
    fcntl(child_fd, F_SETFD, 0);
  } else {
    if (report == child_fd) {
      report = fcntl(report, F_DUPFD_CLOEXEC, child_fd + 1);
    }
    dup2(socket, child_fd);
  }
  execve(argv[0], argv.data(), environment.data());
  const int number = errno;
  [[maybe_unused]] const ssize_t ignored = write(report, &number, sizeof number);
  _exit(127);
}

}  // namespace

std::filesystem::path sdk_directory() {
  const std::filesystem::path share = files::share_directory();
  for (const char* place : {"job-sdk", "sdk", "plugins/job-sdk"}) {
    if (std::filesystem::exists(share / place / "host.py")) {
      return share / place;
    }
  }
  throw Error(ErrorKind::platform, {"cannot find the job SDK", "there is no job-sdk/host.py below " + share.string(),
                                    "the Python steps of the job cannot run",
                                    "Install vdk again, or set VDK_SHARE_DIR to its share/vdk folder"});
}

PythonHost::PythonHost(const std::filesystem::path& interpreter, const std::string& first_message) {
  std::string program = interpreter.string();
  std::string script = (sdk_directory() / "host.py").string();
  std::string number = std::to_string(child_fd);
  const std::vector<char*> argv{program.data(), script.data(), number.data(), nullptr};
  std::array<int, 2> sockets{};
  std::array<int, 2> report{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    throw cannot_start(interpreter, errno);
  }
  m_socket = sockets[0];
  if (pipe2(report.data(), O_CLOEXEC) != 0) {
    close(sockets[1]);
    throw cannot_start(interpreter, errno);
  }
  m_warden = std::make_unique<Warden>();
  const Environment environment(std::string(Warden::variable) + "=" + m_warden->value());
  m_pid = fork();
  if (m_pid == 0) {
    become_python(argv, environment, sockets[1], report[1]);
  }
  const int fork_error = errno;
  close(sockets[1]);
  close(report[1]);
  int failure = m_pid < 0 ? fork_error : 0;
  if (m_pid > 0 && read(report[0], &failure, sizeof failure) <= 0) {
    failure = 0;
  }
  close(report[0]);
  if (failure != 0) {
    if (m_pid > 0) {
      reap(true);
    }
    close(m_socket);
    throw cannot_start(interpreter, failure);
  }
#ifdef SYS_pidfd_open
  m_pidfd = static_cast<int>(syscall(SYS_pidfd_open, m_pid, 0));
#endif
  send(first_message);
}

PythonHost::PythonHost(int socket, const std::string& first_message) : m_socket(socket), m_reaped(true) {
  send(first_message);
}

PythonHost::~PythonHost() {
  if (!m_reaped && m_pid > 0) {
    kill(m_pid, SIGKILL);
    reap(true);
  }
  if (m_pidfd >= 0) {
    close(m_pidfd);
  }
  if (m_socket >= 0) {
    close(m_socket);
  }
}

void PythonHost::send(const std::string& line) {
  const std::string whole = line + "\n";
  std::size_t done = 0;
  while (done < whole.size()) {
    const ssize_t n = ::send(m_socket, whole.data() + done, whole.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) {
      press_on_signal();
      continue;
    }
    if (n < 0) {
      return;  // the child is gone; receive() finds out how
    }
    done += static_cast<std::size_t>(n);
  }
}

bool PythonHost::take_line(std::string& line) {
  const std::size_t end = m_buffer.find('\n', m_scanned);
  if (end == std::string::npos) {
    m_scanned = m_buffer.size();
    return false;
  }
  line = m_buffer.substr(0, end);
  m_buffer.erase(0, end + 1);
  m_scanned = 0;
  return true;
}

std::optional<std::string> PythonHost::receive() {
  std::string line;
  std::vector<char> chunk(1U << 18U);
  while (!take_line(line)) {
    std::array<pollfd, 2> waits{{{m_socket, POLLIN, 0}, {m_pidfd, POLLIN, 0}}};
    const int ready = poll(waits.data(), m_pidfd >= 0 ? 2 : 1, poll_milliseconds);
    press_on_signal();
    if (m_pid > 0) {
      reap_orphans(m_pid);
    }
    if (ready < 0) {
      continue;
    }
    if ((waits[0].revents & (POLLIN | POLLHUP)) != 0) {
      const ssize_t n = recv(m_socket, chunk.data(), chunk.size(), 0);
      if (n > 0) {
        m_buffer.append(chunk.data(), static_cast<std::size_t>(n));
        continue;
      }
      if (n == 0 || errno != EINTR) {
        reap(true);
        return std::nullopt;
      }
      continue;
    }
    if (m_pid < 0) {  // nobody's child: it closes the socket
      if (SignalGuard::received() != 0) {
        return std::nullopt;
      }
      continue;
    }
    // A process that the step forked may hold the socket open, so the child's end is watched by itself.
    reap(false);
    if (m_reaped) {
      return std::nullopt;
    }
  }
  return line;
}

/// Ctrl-C reaches the child from the terminal too, so it gets a moment before it is sent again.
void PythonHost::press_on_signal() {
  const int number = SignalGuard::received();
  if (number == 0 || m_reaped || m_pid <= 0) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!m_signalled) {
    m_signalled = now;
  }
  const auto passed = now - *m_signalled;
  using std::chrono::milliseconds;
  if (m_pressure == 0 && (number == SIGTERM || passed > milliseconds(300))) {
    kill(m_pid, number);
    m_pressure = 1;
  } else if (m_pressure == 1 && passed > milliseconds(5000)) {
    kill(m_pid, SIGTERM);
    m_pressure = 2;
  } else if (m_pressure == 2 && passed > milliseconds(7000)) {
    kill(m_pid, SIGKILL);
    m_pressure = 3;
  }
}

void PythonHost::reap(bool block) {
  if (m_reaped) {
    return;
  }
  pollfd end{m_pidfd, POLLIN, 0};
  while (block && m_pidfd >= 0 && poll(&end, 1, poll_milliseconds) <= 0) {
    press_on_signal();
  }
  pid_t got = -1;
  do {
    got = waitpid(m_pid, &m_status, block ? 0 : WNOHANG);
    if (got < 0 && errno == EINTR && block) {
      press_on_signal();
    }
  } while (got < 0 && errno == EINTR);
  m_reaped = got != 0;
}

PythonHost::End PythonHost::ended() {
  if (WIFSIGNALED(m_status)) {
    const int number = WTERMSIG(m_status);
    std::string sentence =
        "the Python process was ended by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
    if (number == SIGKILL) {
      sentence += "; most often the system was out of memory";
    }
    return {sentence, 1};
  }
  const int code = WEXITSTATUS(m_status);
  return {"the Python process ended by itself with exit code " + std::to_string(code) + " while the step was running",
          code == 0 ? 1 : code};
}

void PythonHost::finish() {
  if (m_reaped) {
    return;
  }
  send("{\"cmd\": \"exit\"}");
  reap(true);
}

}  // namespace vdk::run

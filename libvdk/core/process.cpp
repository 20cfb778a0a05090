// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "vdk/core/attached_process.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): not in every libc header

namespace vdk::process {

namespace fs = std::filesystem;

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw system_error("cannot create a pipe", errno);
    }
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_read() { close_one(read_end); }
  void close_write() { close_one(write_end); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) {
      close(std::exchange(fd, -1));
    }
  }
};

fs::path resolve(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  if (auto found = find_program(name)) {
    return *found;
  }
  throw Error(ErrorKind::not_found, {.what = "cannot start '" + name + "'",
                                     .why = "there is no such program on PATH",
                                     .consequences = "The operation was not carried out.",
                                     .countermeasures = "Install it or correct PATH."});
}

// Everything that allocates happens before fork: the child of a threaded program may only use async-signal-safe calls.
struct Prepared {
  fs::path program;
  std::vector<std::string> environment;
  std::vector<char*> argv_pointers;
  std::vector<char*> environment_pointers;

  explicit Prepared(const Command& command) : program(resolve(command.argv.at(0))) {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      const std::string name(text.substr(0, text.find('=')));
      const bool removed = std::find(command.unset.begin(), command.unset.end(), name) != command.unset.end();
      if (!removed && command.set.count(name) == 0) {
        environment.emplace_back(text);
      }
    }
    for (const auto& [name, value] : command.set) {
      environment.push_back(name + "=" + value);
    }
    for (auto& entry : environment) {
      environment_pointers.push_back(entry.data());
    }
    environment_pointers.push_back(nullptr);
    for (const auto& argument : command.argv) {
      argv_pointers.push_back(const_cast<char*>(argument.c_str()));  // execve's signature predates const
    }
    argv_pointers.push_back(nullptr);
  }
};

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) {
    std::signal(number, SIG_DFL);
  }
}

// `error_fd` is close-on-exec: the parent reads errno from it when execve failed and end-of-file when it did not.
[[noreturn]] void exec_child(const Prepared& prepared, const Command& command, int error_fd) {
  reset_signals();
  if (command.directory.empty() || chdir(command.directory.c_str()) == 0) {
    execve(prepared.program.c_str(), prepared.argv_pointers.data(), prepared.environment_pointers.data());
  }
  const int number = errno;
  [[maybe_unused]] const auto ignored = write(error_fd, &number, sizeof number);
  _exit(127);
}

void check_exec(int error_fd, const Prepared& prepared) {
  int number = 0;
  ssize_t got = 0;
  do {
    got = read(error_fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof number)) {
    const ErrorKind kind = number == ENOENT ? ErrorKind::not_found : ErrorKind::platform;
    throw Error(kind, {.what = "cannot start '" + prepared.program.string() + "'",
                       .why = std::strerror(number),
                       .consequences = "The operation was not carried out.",
                       .countermeasures = "Check that the program and the working folder exist."});
  }
}

void emit_lines(std::string& pending, std::string_view chunk, const std::function<void(std::string_view)>& on_line) {
  pending += chunk;
  std::size_t end = 0;
  while ((end = pending.find('\n')) != std::string::npos) {
    on_line(std::string_view(pending).substr(0, end));
    pending.erase(0, end + 1);
  }
}

// One of the two output streams of a child.
struct Stream {
  int fd;
  std::string* text;
  std::string pending;

  // False at the end of the stream.
  bool drain(const std::function<void(std::string_view)>& on_line) {
    std::array<char, 65536> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) {
      return errno == EINTR || errno == EAGAIN;
    }
    const std::string_view chunk(buffer.data(), static_cast<std::size_t>(got));
    text->append(chunk);
    if (on_line) {
      emit_lines(pending, chunk, on_line);
    }
    return got != 0;
  }
};

int decode_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      throw system_error("cannot wait for a child process", errno);
    }
  }
  return decode_status(status);
}

// The input goes through a file in memory: a pipe could dead-lock with a child that writes before it reads.
int open_input(const std::string& input) {
  if (input.empty()) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  const int fd = memfd_create("input", MFD_CLOEXEC);  // it may hold secrets, which touch no disk
  if (fd < 0 || write(fd, input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    const int number = errno;
    if (fd >= 0) {
      close(fd);
    }
    throw system_error("cannot prepare the input of a child process", number);
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

/// How often a flag that asks to stop is looked at.
constexpr int k_stop_poll_ms = 100;

bool has_own_group(const Command& command) { return command.timeout.has_value() || command.stop != nullptr; }

int remaining_ms(const std::optional<std::chrono::steady_clock::time_point>& deadline) {
  if (!deadline) {
    return -1;
  }
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(std::min<long long>(left, INT_MAX));
}

void read_streams(Stream& out, Stream& err, pid_t pid, const Command& command, Result& result,
                  const std::function<void(std::string_view)>& on_line) {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  if (command.timeout) {
    deadline = std::chrono::steady_clock::now() + *command.timeout;
  }
  std::array<Stream*, 2> streams = {&out, &err};
  std::array<bool, 2> open_streams = {true, true};
  while (open_streams[0] || open_streams[1]) {
    std::array<pollfd, 2> polled{};
    for (std::size_t i = 0; i < 2; ++i) {
      polled[i] = {.fd = open_streams[i] ? streams[i]->fd : -1, .events = POLLIN, .revents = 0};
    }
    const int left = remaining_ms(deadline);
    const bool sliced = command.stop != nullptr && (left < 0 || left > k_stop_poll_ms);
    const int ready = poll(polled.data(), polled.size(), sliced ? k_stop_poll_ms : left);
    result.stopped = command.stop != nullptr && *command.stop;
    result.timed_out = ready == 0 && !sliced;
    if (result.stopped || result.timed_out) {
      kill(-pid, SIGKILL);
      return;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (ready > 0 && polled[i].revents != 0) {
        open_streams[i] = streams[i]->drain(on_line);
      }
    }
  }
}

/// Back when the program runs in the child; the child is reaped when it could not start it.
void require_exec(Pipe& exec_error, pid_t pid, const Prepared& prepared) {
  exec_error.close_write();
  try {
    check_exec(exec_error.read_end, prepared);
  } catch (...) {
    wait_for(pid);
    throw;
  }
}

}  // namespace

Result run(const Command& command, const std::function<void(std::string_view)>& on_line) {
  const Prepared prepared(command);
  Pipe out;
  Pipe err;
  Pipe exec_error;
  const int input = open_input(command.input);
  const pid_t pid = fork();
  if (pid == 0) {
    if (has_own_group(command)) {
      setpgid(0, 0);
    }
    dup2(input, STDIN_FILENO);
    dup2(out.write_end, STDOUT_FILENO);
    dup2(err.write_end, STDERR_FILENO);
    exec_child(prepared, command, exec_error.write_end);
  }
  const int fork_error = errno;
  close(input);
  if (pid < 0) {
    throw system_error("cannot start a process", fork_error, "Check the limits on processes and memory.");
  }
  if (has_own_group(command)) {
    setpgid(pid, pid);
  }
  out.close_write();
  err.close_write();
  require_exec(exec_error, pid, prepared);
  Result result;
  Stream out_stream{out.read_end, &result.out, {}};
  Stream err_stream{err.read_end, &result.err, {}};
  read_streams(out_stream, err_stream, pid, command, result, on_line);
  for (Stream* stream : {&out_stream, &err_stream}) {
    if (on_line && !stream->pending.empty()) {
      on_line(stream->pending);
    }
  }
  result.exit_code = wait_for(pid);
  return result;
}

pid_t spawn_attached(const Command& command) {
  const Prepared prepared(command);
  Pipe exec_error;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
      _exit(127);  // the parent went away before the kernel knew
    }
    exec_child(prepared, command, exec_error.write_end);
  }
  if (pid < 0) {
    throw system_error("cannot start a process", errno, "Check the limits on processes and memory.");
  }
  require_exec(exec_error, pid, prepared);
  return pid;
}

pid_t spawn_detached(const Command& command, const fs::path& log) {
  const Prepared prepared(command);
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) {
    throw system_error("cannot open the log '" + log.string() + "'", errno);
  }
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  Pipe exec_error;
  Pipe grandchild_id;
  // Two forks: init inherits the process, so that it never becomes a zombie of a long-living caller.
  const pid_t middle = fork();
  if (middle == 0) {
    setsid();
    const pid_t child = fork();
    if (child != 0) {
      [[maybe_unused]] const auto ignored = write(grandchild_id.write_end, &child, sizeof child);
      _exit(0);
    }
    dup2(null_fd, STDIN_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    exec_child(prepared, command, exec_error.write_end);
  }
  close(log_fd);
  close(null_fd);
  if (middle < 0) {
    throw system_error("cannot start a process", errno, "Check the limits on processes and memory.");
  }
  wait_for(middle);
  exec_error.close_write();
  grandchild_id.close_write();
  pid_t pid = -1;
  if (read(grandchild_id.read_end, &pid, sizeof pid) != static_cast<ssize_t>(sizeof pid) || pid < 0) {
    throw system_error("cannot start a process", EAGAIN, "Check the limits on processes and memory.");
  }
  check_exec(exec_error.read_end, prepared);
  return pid;
}

std::optional<fs::path> find_program(std::string_view name) {
  const auto path = environment("PATH");
  for (const auto& folder : text::split(path ? *path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    fs::path candidate = fs::path(folder.empty() ? "." : folder) / name;
    std::error_code error;
    if (access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate, error)) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<std::string> identity(pid_t pid) {
  std::optional<std::string> stat;
  try {
    stat = files::read_if_exists("/proc/" + std::to_string(pid) + "/stat");
  } catch (const Error&) {
    return std::nullopt;  // it went away while we read
  }
  // The name in parentheses may hold anything, so fields are counted from the last parenthesis: state is the first.
  const auto end = stat ? stat->rfind(')') : std::string::npos;
  if (end == std::string::npos) {
    return std::nullopt;
  }
  const auto fields = text::split(std::string_view(*stat).substr(end + 2), ' ');
  constexpr std::size_t k_start_time = 19;
  if (fields.size() <= k_start_time || fields[0] == "Z") {
    return std::nullopt;
  }
  return std::to_string(pid) + ":" + fields[k_start_time];
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    names.emplace_back(pair.substr(0, pair.find('=')));
  }
  return names;
}

}  // namespace vdk::process

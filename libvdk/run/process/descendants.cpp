// SPDX-License-Identifier: Apache-2.0
#include "run/process/descendants.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>

namespace vdk::run {

namespace {

constexpr std::size_t most_processes = 4096;
constexpr int most_looks = 64;  // each finds at least one level of the tree

/// Children from before the run, which a shell's `exec` has left us, are none of the steps'.
std::array<pid_t, 64> g_spared{};

void spare_present_children() {
  g_spared = {};
  std::ifstream children("/proc/thread-self/children");
  for (std::size_t i = 0; i < g_spared.size() && children >> g_spared[i]; ++i) {
  }
}

/// 0 for what is no number.
pid_t number_at(const char* text) noexcept {
  pid_t number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + (*text - '0');
  }
  return number;
}

/// Call `visit(descriptor of /proc, name)` for all that is in /proc.
template <typename Visit>
void each_process(const Visit& visit) noexcept {
  const int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return;
  }
  alignas(8) std::array<char, 8192> names{};
  while (true) {
    const auto size = syscall(SYS_getdents64, folder, names.data(), names.size());
    if (size <= 0) {
      break;
    }
    for (long at = 0; at < size;) {
      // struct linux_dirent64: inode, offset, record length, type, name
      unsigned short length = 0;
      std::memcpy(&length, names.data() + at + 16, sizeof length);
      visit(folder, names.data() + at + 19);
      at += length;
    }
  }
  close(folder);
}

/// Open a file of a process by its name in /proc.
int open_file_of(int folder, const char* name, std::string_view file) noexcept {
  std::array<char, 32> path{};
  const std::size_t length = strnlen(name, path.size() - 1 - file.size());
  std::memcpy(path.data(), name, length);
  std::memcpy(path.data() + length, file.data(), file.size());
  return openat(folder, path.data(), O_RDONLY | O_CLOEXEC);
}

/// Of a process that lives, by its name in /proc; 0 for others.
pid_t parent_of(int folder, const char* name) noexcept {
  const int file = open_file_of(folder, name, "/stat");
  if (file < 0) {
    return 0;
  }
  std::array<char, 512> text{};
  const ssize_t size = read(file, text.data(), text.size() - 1);
  close(file);
  // PID (NAME) STATE PARENT: the name may hold anything
  const void* found = size > 0 ? memrchr(text.data(), ')', static_cast<std::size_t>(size)) : nullptr;
  const auto* end = static_cast<const char*>(found);
  return end == nullptr || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X' ? 0 : number_at(end + 4);
}

/// Whether the environment that a process was started with holds the mark.
bool is_marked(int folder, const char* name, std::string_view mark) noexcept {
  const int file = open_file_of(folder, name, "/environ");
  if (file < 0) {
    return false;  // another user's
  }
  std::array<char, 8192> text{};
  std::size_t kept = 0;  // of the chunk before: the mark may lie across two
  bool found = false;
  ssize_t size = 0;
  while (!found && (size = read(file, text.data() + kept, text.size() - kept)) > 0) {
    const std::size_t filled = kept + static_cast<std::size_t>(size);
    found = memmem(text.data(), filled, mark.data(), mark.size()) != nullptr;
    kept = std::min(filled, mark.size() - 1);
    std::memmove(text.data(), text.data() + filled - kept, kept);
  }
  close(file);
  return found;
}

/// All in here may run in a signal handler: no memory is taken, no lock is held.
class Tree {
 public:
  /// Look through /proc and signal every descendant that is not known yet; how many those are.
  std::size_t signal_new(int number) noexcept {
    const std::size_t before = m_count;
    each_process([this, number](int folder, const char* name) { look_at(folder, name, number); });
    return m_count - before;
  }

 private:
  [[nodiscard]] bool knows(pid_t pid) const noexcept {
    for (std::size_t i = 0; i < m_count; ++i) {
      if (m_known[i] == pid) {
        return true;
      }
    }
    return false;
  }

  void look_at(int folder, const char* name, int number) noexcept {
    const pid_t pid = number_at(name);
    if (pid == 0 || m_count == most_processes || knows(pid)) {
      return;
    }
    const pid_t parent = parent_of(folder, name);
    const bool spared = std::find(g_spared.begin(), g_spared.end(), pid) != g_spared.end();
    if (parent != 0 && !spared && (parent == getpid() || knows(parent))) {
      m_known[m_count++] = pid;
      kill(pid, number);
    }
  }

  std::array<pid_t, most_processes> m_known{};
  std::size_t m_count = 0;
};

}  // namespace

bool adopt_orphans(bool adopt) {
  if (adopt) {
    spare_present_children();
  }
  int before = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &before);
  prctl(PR_SET_CHILD_SUBREAPER, adopt ? 1 : 0);
  return before != 0;
}

void reap_orphans(pid_t own) {
  while (true) {
    siginfo_t info{};
    const int got = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    if (got != 0 || info.si_pid == 0 || info.si_pid == own) {
      return;
    }
    waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

void end_descendants() {
  using std::chrono::milliseconds;
  constexpr int looks = 40;
  Tree asked;
  for (int i = 0; i < looks; ++i) {
    const bool more = asked.signal_new(SIGTERM) > 0;
    reap_orphans(0);
    Tree present;
    if (!more && present.signal_new(0) == 0) {
      return;
    }
    std::this_thread::sleep_for(milliseconds(25));
  }
  kill_descendants();
  reap_orphans(0);
}

void kill_marked(std::string_view mark) noexcept {
  std::size_t killed = 1;
  for (int i = 0; i < most_looks && killed > 0; ++i) {
    killed = 0;
    each_process([&](int folder, const char* name) {
      const pid_t pid = number_at(name);
      if (pid > 0 && pid != getpid() && is_marked(folder, name, mark) && kill(pid, SIGKILL) == 0) {
        ++killed;
      }
    });
  }
}

void kill_descendants() noexcept {
  Tree tree;
  for (int i = 0; i < most_looks && tree.signal_new(SIGKILL) > 0; ++i) {
    // What was started meanwhile, or lost its parent just now.
  }
}

}  // namespace vdk::run

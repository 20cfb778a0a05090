// SPDX-License-Identifier: Apache-2.0
#include "target/local/processes.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> environment_of(const std::string& pid) {
  try {
    return files::read_if_exists("/proc/" + pid + "/environ");
  } catch (const Error&) {
    return std::nullopt;  // gone, or not ours to read
  }
}

bool belongs_to_us(const fs::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

}  // namespace

std::vector<pid_t> marked_processes(const std::string& name, const std::string& value) {
  const std::string wanted = std::string(1, '\0') + name + "=" + value + std::string(1, '\0');
  std::vector<pid_t> found;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string pid = entry->path().filename().string();
    const auto number = text::parse_int(pid);
    if (!number || *number == ::getpid() || !belongs_to_us(entry->path())) {
      continue;
    }
    const auto environment = environment_of(pid);
    if (environment && (std::string(1, '\0') + *environment).find(wanted) != std::string::npos) {
      found.push_back(static_cast<pid_t>(*number));
    }
  }
  return found;
}

void kill_marked_processes(const std::string& name, const std::string& value) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto processes = marked_processes(name, value);
    if (processes.empty()) {
      return;
    }
    for (const pid_t pid : processes) {
      ::kill(pid, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + attempt));
  }
}

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#include "target/local/cgroup.hpp"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_root = "/sys/fs/cgroup";
constexpr long long k_period = 100'000;  // microseconds

struct Group {
  fs::path own;     ///< where the limits are
  fs::path former;  ///< where the process came from
};

Group& current_group() {
  static Group group;
  return group;
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool write_text(const fs::path& file, const std::string& text) {
  std::ofstream stream(file);
  stream << text << std::flush;
  return stream.good();
}

/// The group of this process in a machine that has version 2 only; empty otherwise.
fs::path present_group() {
  if (!fs::exists(fs::path(k_root) / "cgroup.controllers")) {
    return {};
  }
  for (const std::string& line : text::lines(read_text("/proc/self/cgroup"))) {
    if (line.starts_with("0::/")) {
      return (fs::path(k_root) / line.substr(4)).lexically_normal();
    }
  }
  return {};
}

bool offers(const fs::path& parent, const char* controller) {
  const std::string offered = " " + text::replace_all(read_text(parent / "cgroup.subtree_control"), "\n", " ") + " ";
  return offered.find(std::string(" ") + controller + " ") != std::string::npos;
}

bool set_limits(const fs::path& group, int memory_mebibytes, double cores) {
  bool done = true;
  if (memory_mebibytes > 0) {
    const long long bytes = static_cast<long long>(memory_mebibytes) * 1024 * 1024;
    done = write_text(group / "memory.max", std::to_string(bytes));
    (void)write_text(group / "memory.swap.max", "0");
  }
  if (cores > 0) {
    const auto quota = static_cast<long long>(std::llround(cores * static_cast<double>(k_period)));
    done = done && write_text(group / "cpu.max", std::to_string(quota) + " " + std::to_string(k_period));
  }
  return done;
}

}  // namespace

bool enter_own_cgroup(int memory_mebibytes, double cores) {
  const fs::path former = present_group();
  const fs::path parent = former.parent_path();
  // A sibling of the present group: a group that holds processes cannot have limited children.
  if (former.empty() || former == fs::path(k_root) || ::access(parent.c_str(), W_OK) != 0 ||
      (memory_mebibytes > 0 && !offers(parent, "memory")) || (cores > 0 && !offers(parent, "cpu"))) {
    return false;
  }
  const std::string pid = std::to_string(::getpid());
  const fs::path own = parent / ("vdk-execution-" + pid);
  std::error_code error;
  fs::create_directory(own, error);
  if (error || !set_limits(own, memory_mebibytes, cores) || !write_text(own / "cgroup.procs", pid)) {
    fs::remove(own, error);
    return false;
  }
  current_group() = {own, former};
  return true;
}

bool own_cgroup_ran_out_of_memory() {
  const fs::path& own = current_group().own;
  if (!own.empty()) {
    for (const std::string& line : text::lines(read_text(own / "memory.events"))) {
      if (line.starts_with("oom_kill ") && line != "oom_kill 0") {
        return true;
      }
    }
  }
  return false;
}

void leave_own_cgroup() {
  Group& group = current_group();
  if (!group.own.empty() && write_text(group.former / "cgroup.procs", std::to_string(::getpid()))) {
    std::error_code ignored;
    fs::remove(group.own, ignored);
    group = {};
  }
}

}  // namespace vdk::target::local

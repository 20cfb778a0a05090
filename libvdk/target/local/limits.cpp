// SPDX-License-Identifier: Apache-2.0
#include "target/local/limits.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <thread>
#include <vector>

#include "target/local/cgroup.hpp"
#include "target/local/execution_folder.hpp"
#include "target/local/processes.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::chrono::seconds k_deadline{43200};
constexpr auto k_grace = 10s;        // from SIGTERM to SIGKILL
constexpr auto k_result_grace = 3s;  // from there to a result
constexpr std::size_t k_evidence = 65536;
constexpr rlim_t k_mebibyte = 1024UL * 1024UL;

void limit_memory(int mebibytes) {
  // Not the address space: runtimes reserve far more of it than they ever use.
  const auto bytes = static_cast<rlim_t>(mebibytes) * k_mebibyte;
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);
}

/// As many processors as the limit asks for, rounded up, starting at a different one for each process.
void limit_processors(double cores) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return;
  }
  const int available = CPU_COUNT(&allowed);
  const int wanted = static_cast<int>(std::ceil(cores));
  if (available == 0 || wanted < 1 || wanted >= available) {
    return;
  }
  std::vector<std::size_t> processors;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) {
      processors.push_back(i);
    }
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (int i = 0; i < wanted; ++i) {
    CPU_SET(processors[static_cast<std::size_t>(::getpid() + i) % processors.size()], &chosen);
  }
  ::sched_setaffinity(0, sizeof chosen, &chosen);
}

void wait_for_end(const std::string& mark, std::chrono::seconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < end && !marked_processes(ExecutionFolder::mark, mark).empty()) {
    std::this_thread::sleep_for(50ms);
  }
}

void end_late_execution(const fs::path& directory, void (*give_up)()) {
  const ExecutionFolder folder(directory);
  files::write_atomic(folder.late(), "", 0600);
  for (const pid_t pid : marked_processes(ExecutionFolder::mark, directory.string())) {
    ::kill(pid, SIGTERM);
  }
  wait_for_end(directory.string(), k_grace);
  kill_marked_processes(ExecutionFolder::mark, directory.string());
  std::this_thread::sleep_for(k_result_grace);
  give_up();
}

/// The message of the result and the end of the log.
std::string evidence(const fs::path& directory, const std::string& message) {
  try {
    const std::string log = files::read_if_exists(ExecutionFolder(directory).log()).value_or("");
    return message + log.substr(log.size() - std::min(log.size(), k_evidence));
  } catch (const Error&) {
    return message;
  }
}

bool ran_out_of_memory(const fs::path& directory, const std::string& message) {
  const std::string text = evidence(directory, message);
  for (const char* sign : {"MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory"}) {
    if (text.find(sign) != std::string::npos) {
      return true;
    }
  }
  return own_cgroup_ran_out_of_memory();
}

LimitVerdict verdict(const std::string& limit, const std::string& message) {
  return {true, limit + (message.empty() ? "" : "\n" + message)};
}

}  // namespace

void apply_limits(const DeploymentSpec& deployment) {
  const int memory = deployment.memory_limit.value_or(0);
  const double cores = deployment.cpu_limit.value_or(0);
  const bool grouped = (memory > 0 || cores > 0) && enter_own_cgroup(memory, cores);
  if (memory > 0) {
    limit_memory(memory);  // also with a group: an allocation that fails can be told, a killed process cannot tell
  }
  if (cores > 0 && !grouped) {
    limit_processors(cores);
  }
}

std::chrono::seconds execution_deadline() {
  const auto given = process::environment("VDK_LOCAL_EXECUTION_DEADLINE");
  const auto seconds = given ? text::parse_int(*given) : std::nullopt;
  return seconds && *seconds > 0 ? std::chrono::seconds(*seconds) : k_deadline;
}

void watch_deadline(const fs::path& directory, std::chrono::seconds deadline, void (*give_up)()) {
  // The thread must not take the signals that the main one waits for; it inherits the mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread([directory, deadline, give_up] {
    std::this_thread::sleep_for(deadline);
    try {
      end_late_execution(directory, give_up);
    } catch (const std::exception&) {
      give_up();
    }
  }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LimitVerdict explain_limits(const fs::path& directory, const std::string& status, const std::string& message) {
  if (status == "Success") {
    return {false, message};
  }
  if (fs::exists(ExecutionFolder(directory).late())) {
    return verdict("Execution deadline of " + std::to_string(execution_deadline().count()) +
                       " seconds exceeded; the job was ended.",
                   message);
  }
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  if (limited && ran_out_of_memory(directory, message)) {
    return verdict("Memory limit of " + std::to_string(limit.rlim_cur / k_mebibyte) + " MiB exceeded.", message);
  }
  return {false, message};
}

}  // namespace vdk::target::local

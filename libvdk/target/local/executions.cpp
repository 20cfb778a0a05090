// SPDX-License-Identifier: Apache-2.0
#include "target/local/executions.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "target/local/processes.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto spawn_grace = 5s;    // from the record of an execution to its process
constexpr auto cancel_grace = 10s;  // from SIGTERM to SIGKILL
constexpr const char* cancelled_message = "Job execution cancelled by user.";

bool is_older_than(const fs::path& path, std::chrono::seconds age) {
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  return !error && fs::file_time_type::clock::now() - written > age;
}

/// The process that was spawned for the execution, while it is there.
std::optional<pid_t> supervisor_of(const ExecutionFolder& folder) {
  const auto noted = files::read_if_exists(folder.spawned());
  const auto pid = noted ? text::parse_int(noted->substr(0, noted->find(':'))) : std::nullopt;
  if (!pid || process::identity(static_cast<pid_t>(*pid)) != *noted) {
    return std::nullopt;
  }
  return static_cast<pid_t>(*pid);
}

/// A signal to the supervisor's group and to everybody with its mark: the one misses who made a group of its own, the
/// other who was started with a clean environment.
void send_signal(const ExecutionFolder& folder, int number) {
  const auto supervisor = supervisor_of(folder);
  if (supervisor && ::getpgid(*supervisor) == *supervisor) {
    ::kill(-*supervisor, number);
  }
  for (const pid_t pid : marked_processes(ExecutionFolder::mark, folder.directory().string())) {
    ::kill(pid, number);
  }
}

ExecutionObservation finished(const ExecutionFolder& folder, const ResultDocument& result) {
  ExecutionObservation observation{Phase::finished, result.termination_status, result.message, result.start_time,
                                   result.end_time};
  if (fs::exists(folder.cancelled())) {  // whatever the dying supervisor managed to write
    observation.termination_status = "Cancelled";
    observation.message = cancelled_message;
  }
  return observation;
}

/// Byte offset at which the last `count` lines of a file begin.
std::streamoff start_of_tail(std::ifstream& file, std::streamoff size, int count) {
  constexpr std::streamoff block = 65536;
  std::string buffer;
  std::streamoff end = size;
  int newlines = 0;
  while (end > 0) {
    const std::streamoff begin = std::max<std::streamoff>(0, end - block);
    buffer.resize(static_cast<std::size_t>(end - begin));
    file.seekg(begin);
    file.read(buffer.data(), end - begin);
    for (std::streamoff i = end - 1; i >= begin; --i) {
      // The newline that ends the file ends the last line; it does not begin another.
      if (buffer[static_cast<std::size_t>(i - begin)] == '\n' && i != size - 1 && ++newlines == count) {
        return i + 1;
      }
    }
    end = begin;
  }
  return 0;
}

}  // namespace

Executions::Executions(const std::filesystem::path& home, std::filesystem::path vdk_executable)
    : m_directory(home / "executions"), m_vdk_executable(std::move(vdk_executable)) {}

ExecutionFolder Executions::folder(const std::string& id) const {
  check_folder_name(id, "the id of an execution");
  return ExecutionFolder(m_directory / id);
}

void Executions::start(const ExecutionSpec& spec, const std::function<bool()>& deployment_exists) {
  const ExecutionFolder execution = folder(spec.id);
  if (fs::exists(execution.started()) || fs::exists(execution.result()) || supervisor_of(execution)) {
    return;
  }
  files::make_private_directory(m_directory);
  files::make_private_directory(execution.directory());
  if (!fs::exists(execution.spec())) {
    files::write_atomic(execution.spec(), serialize(spec), 0600);
    files::sync_directory(m_directory);
  }
  failpoint("target.start.after_spec");
  if (!deployment_exists()) {
    files::remove_tree(execution.directory());
    throw Error(ErrorKind::not_found,
                {"cannot start execution '" + spec.id + "'",
                 "deployment " + spec.version_hash + " of job '" + spec.job_name + "' is not there or is damaged",
                 "nothing was started", "deploy the job again with 'vdk deploy'"});
  }
  spawn(execution);
}

void Executions::spawn(const ExecutionFolder& folder) const {
  process::Command command;
  command.argv = {m_vdk_executable.string(), "__execute", folder.directory().string()};
  command.directory = folder.directory();
  command.set[ExecutionFolder::mark] = folder.directory().string();
  const pid_t pid = process::spawn_detached(command, folder.log());
  failpoint("target.start.after_spawn");
  if (const auto identity = process::identity(pid)) {
    files::write_atomic(folder.spawned(), *identity, 0600);
  }
}

ExecutionObservation Executions::observe(const std::string& id) const {
  const ExecutionFolder execution = folder(id);
  if (const auto result = execution.read_result()) {
    return finished(execution, *result);
  }
  if (!fs::exists(execution.spec())) {
    return {};
  }
  ExecutionObservation observation;
  if (!fs::exists(execution.started())) {
    // Who wanted to spawn it may have died in between: then it is as if the target had never heard of it.
    const bool pending = supervisor_of(execution).has_value() || files::FileLock::is_held(execution.lock()) ||
                         !is_older_than(execution.spec(), spawn_grace) || fs::exists(execution.started());
    observation.phase = pending ? Phase::submitted : Phase::unknown;
    return observation;
  }
  observation.start_time = execution.claimed_at();
  if (files::FileLock::is_held(execution.lock())) {
    observation.phase = Phase::running;
    observation.message = files::read_if_exists(execution.step()).value_or("");
    return observation;
  }
  if (const auto result = execution.read_result()) {  // written since we looked
    return finished(execution, *result);
  }
  if (fs::exists(execution.cancelled())) {
    return finished(execution, {"Cancelled", cancelled_message, observation.start_time, SystemClock().now()});
  }
  // Without its supervisor nobody would ever collect what the job does.
  kill_marked_processes(ExecutionFolder::mark, execution.directory().string());
  observation.phase = Phase::lost;
  observation.message =
      "The process that ran the job is gone without a result: it was killed, or the machine went down.";
  return observation;
}

void Executions::cancel(const std::string& id) {
  const ExecutionFolder execution = folder(id);
  if (!fs::exists(execution.spec()) || fs::exists(execution.result())) {
    return;
  }
  files::write_atomic(execution.cancelled(), "", 0600);
  const bool was_started = !execution.claim();
  if (was_started) {
    end_processes(execution);
  }
  ResultDocument result = execution.read_result().value_or(ResultDocument{});
  result.termination_status = "Cancelled";
  result.message = cancelled_message;
  if (was_started && !result.start_time) {
    result.start_time = execution.claimed_at();
  }
  if (!result.end_time) {
    result.end_time = SystemClock().now();
  }
  files::write_atomic(execution.result(), serialize(result), 0600);
}

void Executions::end_processes(const ExecutionFolder& folder) {
  const std::string mark = folder.directory().string();
  const auto deadline = std::chrono::steady_clock::now() + cancel_grace;
  send_signal(folder, SIGTERM);
  while (std::chrono::steady_clock::now() < deadline) {
    if (!files::FileLock::is_held(folder.lock()) && marked_processes(ExecutionFolder::mark, mark).empty()) {
      return;
    }
    std::this_thread::sleep_for(20ms);
  }
  send_signal(folder, SIGKILL);
  kill_marked_processes(ExecutionFolder::mark, mark);
}

std::string Executions::logs(const std::string& id, int tail_lines) const {
  std::ifstream file(folder(id).log(), std::ios::binary | std::ios::ate);
  if (!file) {
    return {};
  }
  const std::streamoff size = file.tellg();
  const std::streamoff begin = tail_lines > 0 ? start_of_tail(file, size, tail_lines) : 0;
  std::string content(static_cast<std::size_t>(size - begin), '\0');
  file.seekg(begin);
  file.read(content.data(), size - begin);
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

void Executions::forget(const std::string& id) {
  const ExecutionFolder execution = folder(id);
  const Phase phase = observe(id).phase;
  if (phase == Phase::running || phase == Phase::submitted) {
    throw Error(ErrorKind::conflict, {"cannot forget execution '" + id + "'", "it has not ended", "its record stays",
                                      "wait for its end, or cancel it"});
  }
  files::remove_tree(execution.directory());
}

std::set<std::string> Executions::hashes_in_use(const std::string& job_name) const {
  std::set<std::string> used;
  std::error_code error;
  for (fs::directory_iterator entry(m_directory, error), end; !error && entry != end; entry.increment(error)) {
    // Ids begin with the job's name, so most folders need not be opened.
    if (!entry->path().filename().string().starts_with(job_name)) {
      continue;
    }
    const ExecutionFolder execution(entry->path());
    if (fs::exists(execution.result())) {
      continue;
    }
    const auto spec = execution.read_spec();
    if (spec && spec->job_name == job_name &&
        (!fs::exists(execution.started()) || files::FileLock::is_held(execution.lock()))) {
      used.insert(spec->version_hash);
    }
  }
  return used;
}

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

namespace {

/// "3.11.2" -> "3.11"; "pypy3.9" stays.
std::string major_minor(const std::string& version) {
  const std::vector<std::string> parts = text::split(version, '.');
  return parts.size() < 2 ? version : parts[0] + "." + parts[1];
}

/// A version manager's shim may be on PATH and still refuse to start.
bool works(const std::filesystem::path& interpreter) {
  try {
    process::Command command;
    command.argv = {interpreter.string(), "-c", "pass"};
    command.timeout = std::chrono::seconds(10);
    return process::run(command).exit_code == 0;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::filesystem::path choose_interpreter(const job::Job& job, std::string& warning) {
  if (const auto chosen = process::environment("VDK_PYTHON"); chosen && !chosen->empty()) {
    if (chosen->find('/') != std::string::npos) {
      return *chosen;
    }
    return process::find_program(*chosen).value_or(*chosen);
  }
  const std::string& wanted = job.config.python_version;
  if (!wanted.empty()) {
    const bool is_pypy = wanted.starts_with("pypy");
    const std::string name = is_pypy ? major_minor(wanted) : "python" + major_minor(wanted);
    for (const std::string& candidate : {name, is_pypy ? std::string("pypy3") : name}) {
      if (const auto found = process::find_program(candidate); found && works(*found)) {
        return *found;
      }
    }
    warning = "config.ini asks for Python " + wanted + ", but no working '" + name +
              "' is on PATH: the job runs with python3 instead. Install that version, or set VDK_PYTHON to its path";
  }
  for (const char* name : {"python3", "python"}) {
    if (const auto found = process::find_program(name)) {
      return *found;
    }
  }
  throw Error(ErrorKind::not_found,
              {"cannot find a Python interpreter", "neither python3 nor python is on PATH",
               "the Python steps of the job cannot run", "Install python3, or set VDK_PYTHON to the path of one"});
}

}  // namespace vdk::run

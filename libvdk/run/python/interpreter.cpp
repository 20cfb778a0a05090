// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "vdk/core/files.hpp"
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

/// A version manager's shim may be on PATH and still refuse to start; Python 2 cannot run steps.
bool works(const std::filesystem::path& interpreter) {
  try {
    process::Command command;
    command.argv = {interpreter.string(), "-c", "import sys; sys.exit(sys.version_info < (3, 6))"};
    command.timeout = std::chrono::seconds(10);
    return process::run(command).exit_code == 0;
  } catch (const Error&) {
    return false;
  }
}

/// "3.11" of an interpreter that is there; empty when it does not start.
std::string version_of(const std::filesystem::path& interpreter) {
  try {
    process::Command command;
    command.argv = {interpreter.string(), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"};
    command.timeout = std::chrono::seconds(10);
    return std::string(text::trim(process::run(command).out));
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::filesystem::path> find_version(const std::string& wanted) {
  const bool is_pypy = wanted.starts_with("pypy");
  const std::string name = is_pypy ? major_minor(wanted) : "python" + major_minor(wanted);
  for (const std::string& candidate : {name, is_pypy ? std::string("pypy3") : name}) {
    if (const auto found = process::find_program(candidate); found && works(*found)) {
      return found;
    }
  }
  return std::nullopt;
}

std::filesystem::path any_python() {
  for (const char* name : {"python3", "python"}) {
    if (const auto found = process::find_program(name)) {
      return *found;
    }
  }
  throw Error(ErrorKind::platform,
              {"cannot find a Python interpreter", "neither python3 nor python is on PATH",
               "the Python steps of the job cannot run", "Install python3, or set VDK_PYTHON to the path of one"});
}

/// The interpreter that a kernel of Jupyter starts, by its specification in the places where Jupyter looks.
std::optional<std::filesystem::path> interpreter_of_kernel(const std::string& kernel) {
  const bool plain = kernel.find('/') == std::string::npos && !kernel.starts_with('.');
  if (kernel.empty() || kernel == "python3" || !plain) {
    return std::nullopt;  // python3 is what every installation calls its own
  }
  const std::filesystem::path home = files::home_directory();
  for (const std::filesystem::path& place :
       {home / ".local/share/jupyter", std::filesystem::path("/usr/local/share/jupyter"),
        std::filesystem::path("/usr/share/jupyter")}) {
    const auto text = files::read_if_exists(place / "kernels" / kernel / "kernel.json");
    const auto spec = nlohmann::json::parse(text.value_or(""), nullptr, false);
    const auto argv = spec.is_object() ? spec.value("argv", nlohmann::json()) : nlohmann::json();
    if (argv.is_array() && !argv.empty() && argv[0].is_string()) {
      const std::filesystem::path program = argv[0].get<std::string>();
      if (program.is_absolute() && works(program)) {
        return program;
      }
    }
  }
  return std::nullopt;
}

/// What the notebooks of the job were written with.
struct Written {
  std::string version;  ///< "3.11"; empty when none says it or they disagree
  std::string by;       ///< the first notebook that says so
  std::string warning;  ///< they disagree
  std::string kernel;
};

Written written_with(const job::Job& job) {
  Written written;
  for (const job::Notebook& notebook : job.notebooks) {
    if (notebook.steps.empty()) {
      continue;
    }
    written.kernel = written.kernel.empty() ? notebook.kernel : written.kernel;
    const std::string version = major_minor(notebook.python_version);
    const std::string name = notebook.file.filename().string();
    if (version.empty()) {
      continue;
    }
    if (written.by.empty()) {
      written.version = version;
      written.by = name;
    } else if (version != written.version && written.warning.empty()) {
      written.warning = written.by + " was written with Python " + written.version + " and " + name + " with " +
                        version + ": a job has one interpreter. Set python_version in [job] of config.ini to choose";
    }
  }
  return written;
}

std::string mismatch(const Written& written, const std::string& used) {
  return written.by + " was written with Python " + written.version + ", but the job runs with " + used +
         ". Set python_version in [job] of config.ini to the one that you want and install it, set VDK_PYTHON to its "
         "path, or save the notebook with a kernel of that version";
}

std::filesystem::path choose_by_notebooks(const Written& written, std::string& warning) {
  if (const auto own = interpreter_of_kernel(written.kernel)) {
    return *own;
  }
  warning = written.warning;
  if (written.version.empty() || !warning.empty()) {
    return any_python();
  }
  // In an activated environment the packages of the job are there, whatever wrote the notebook.
  const bool activated = process::environment("VIRTUAL_ENV") || process::environment("CONDA_PREFIX");
  if (!activated) {
    if (const auto found = find_version(written.version)) {
      return *found;
    }
  }
  const std::filesystem::path fallback = any_python();
  const std::string used = version_of(fallback);
  if (used != written.version) {
    warning = mismatch(written, "Python " + used + " (" + fallback.string() + ")");
  }
  return fallback;
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
  const Written written = written_with(job);
  if (wanted.empty()) {
    return choose_by_notebooks(written, warning);
  }
  if (const auto found = find_version(wanted)) {
    if (!written.version.empty() && written.version != major_minor(wanted)) {
      warning = mismatch(written, "Python " + wanted + ", as config.ini asks");
    }
    return *found;
  }
  const std::string name = wanted.starts_with("pypy") ? major_minor(wanted) : "python" + major_minor(wanted);
  warning = "config.ini asks for Python " + wanted + ", but no working '" + name +
            "' is on PATH: the job runs with python3 instead. Install that version, or set VDK_PYTHON to its path";
  return any_python();
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "target/local/environments.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "target/local/documents.hpp"
#include "target/local/interpreters.hpp"
#include "target/local/processes.hpp"
#include "vdk/config/secrets.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target::local {

namespace {

namespace fs = std::filesystem;

constexpr const char* builder_abi = "1";  // raise when environments must be built anew by a newer vdk
constexpr std::size_t reported_lines = 12;

// Without pip, because environments by uv have none. What venv itself brings is left out, as `pip freeze` does.
constexpr const char* freeze_program =
    "import importlib.metadata as m\n"
    "s={(d.metadata['Name'] or '')+'=='+d.version for d in m.distributions()}\n"
    "print('\\n'.join(sorted((x for x in s if x.split('==')[0].lower() not in ('','pip','setuptools','wheel')),"
    "key=str.lower)))";

/// One call instead of an fsync for each of thousands of files.
void sync_file_system(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    throw system_error("cannot open '" + directory.string() + "'", errno);
  }
  const int result = ::syncfs(fd);
  const int number = errno;
  ::close(fd);
  if (result != 0) {
    throw system_error("cannot write '" + directory.string() + "' to the disk", number);
  }
}

bool is_noise(std::string_view line) {
  return line.empty() || line.starts_with("[notice]") || line.starts_with("WARNING: Retrying") ||
         line.starts_with("Looking in ");
}

/// The lines that tell a person why an installer failed: from the first that says error, else the last ones.
std::string failure_lines(const process::Result& result) {
  std::vector<std::string> all;
  for (const std::string& line : text::lines(result.out + "\n" + result.err)) {
    const auto trimmed = text::trim(line);
    if (!is_noise(trimmed)) {
      all.emplace_back(trimmed);
    }
  }
  const auto says_error = [](const std::string& line) { return text::lower(line).find("error") != std::string::npos; };
  auto first = std::find_if(all.begin(), all.end(), says_error);
  if (first == all.end() || static_cast<std::size_t>(all.end() - first) > reported_lines) {
    first = all.size() > reported_lines ? all.end() - static_cast<std::ptrdiff_t>(reported_lines) : all.begin();
  }
  std::string report = text::join({first, all.end()}, "\n");
  return report.empty() ? "the installer ended with exit code " + std::to_string(result.exit_code) : report;
}

constexpr const char* build_mark = "VDK_ENVIRONMENT_BUILD";

/// uv does not read the settings of pip; where somebody configured pip, pip is what works.
bool pip_is_configured() {
  for (const char* name : {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE",
                           "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_CONSTRAINT"}) {
    if (process::environment(name)) {
      return true;
    }
  }
  const fs::path home = files::home_directory();
  const fs::path config_home = process::environment("XDG_CONFIG_HOME").value_or((home / ".config").string());
  return fs::exists(config_home / "pip/pip.conf") || fs::exists(home / ".pip/pip.conf") || fs::exists("/etc/pip.conf");
}

Error venv_error(const Interpreter& interpreter, const process::Result& result) {
  const std::string package =
      interpreter.implementation == "PyPy" ? "pypy3-venv" : "python" + interpreter.version + "-venv";
  const std::string output = result.out + result.err;
  const bool no_pip =
      output.find("ensurepip") != std::string::npos || output.find("No module named") != std::string::npos;
  return {
      ErrorKind::platform,
      {"cannot create a virtual environment with " + interpreter.path.string(),
       no_pip ? "this " + interpreter.implementation + " " + interpreter.version + " was installed without venv and pip"
              : failure_lines(result),
       "the job is not deployed; a deployment that exists goes on running",
       no_pip ? "install the package " + package + " (apt-get install " + package + ") or uv, then deploy again"
              : "repair the interpreter or choose another python_version, then deploy again"}};
}

Error requirements_error(const process::Result& result) {
  return {
      ErrorKind::user_code,
      {"cannot install the packages of requirements.txt", failure_lines(result),
       "the job is not deployed; a deployment that exists goes on running",
       "correct requirements.txt (name, version, Python version of the package) and check that the package index can "
       "be reached, then deploy again"}};
}

Error interrupted() {
  return {ErrorKind::interrupted,
          {"the environment was not built", "the server stops",
           "The job is not rolled out yet; a deployment that exists goes on running.",
           "Nothing has to be done: the next server rolls it out."}};
}

void expect(bool good, const Error& error) {
  if (!good) {
    throw error;
  }
}

}  // namespace

Environments::Environments(const std::filesystem::path& home, const std::atomic<bool>* stop)
    : m_directory(home / "environments"), m_interpreter_cache(home / "interpreters.json"), m_stop(stop) {}

bool Environments::is_stopped() const { return m_stop != nullptr && *m_stop; }

/// Somebody else may be building this environment for minutes.
files::FileLock Environments::lock(const std::string& key) const {
  const fs::path path = m_directory / (key + ".lock");
  if (m_stop == nullptr) {
    return files::FileLock::acquire(path);
  }
  while (true) {
    if (auto lock = files::FileLock::try_acquire(path)) {
      return std::move(*lock);
    }
    expect(!is_stopped(), interrupted());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// `environment` marks the process, so that one whose vdk was killed can be found.
process::Result Environments::run_tool(std::vector<std::string> argv, const fs::path& directory,
                                       const fs::path& environment, const Progress& progress) const {
  process::Command command;
  command.argv = std::move(argv);
  command.directory = directory;
  command.stop = m_stop;
  command.unset = config::secret_variables();  // what is built here runs code of strangers
  for (const char* name : {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__"}) {
    command.unset.emplace_back(name);
  }
  command.set = {{build_mark, environment.string()},
                 {"PYTHONUNBUFFERED", "1"},
                 {"PIP_NO_INPUT", "1"},
                 {"PIP_DISABLE_PIP_VERSION_CHECK", "1"}};
  auto result = process::run(command, [&](std::string_view line) {
    if (progress && !is_noise(text::trim(line))) {
      progress(line);
    }
  });
  expect(!result.stopped, interrupted());
  return result;
}

std::filesystem::path Environments::python(const std::string& key) const { return m_directory / key / "bin/python"; }

bool Environments::is_complete(const std::string& key) const {
  return !key.empty() && fs::exists(m_directory / key / "complete") && fs::exists(python(key));
}

ReadyEnvironment Environments::ensure(const std::string& interpreter_path, const std::string& python_version,
                                      const std::filesystem::path& job_directory, const Progress& progress) {
  if (interpreter_path.empty()) {
    throw Error(ErrorKind::platform,
                {"cannot find a Python interpreter", "no supported Python was found on this machine",
                 "the job is not deployed; a deployment that exists goes on running",
                 "install python3 with its venv module, then deploy again"});
  }
  InterpreterCache cache(m_interpreter_cache);
  const auto interpreter = cache.probe(interpreter_path);
  cache.save();
  if (!interpreter) {
    throw Error(ErrorKind::platform,
                {"cannot use Python " + python_version, "the interpreter '" + interpreter_path + "' does not run",
                 "the job is not deployed; a deployment that exists goes on running",
                 "install it again, or choose another python_version; 'vdk info' lists what is supported"});
  }
  const Requirements requirements = read_requirements(job_directory);
  std::error_code ignored;
  const fs::path real = fs::canonical(interpreter->path, ignored);
  const std::string key = sha256_hex(real.string() + "\n" + interpreter->full_version + "\n" +
                                     interpreter->implementation + "\n" + builder_abi + "\n" + requirements.canonical)
                              .substr(0, 32);
  files::make_private_directory(m_directory);
  ReadyEnvironment ready{key, {}, false, lock(key)};
  const fs::path directory = m_directory / key;
  if (is_complete(key)) {
    if (auto resolved = parse_requirements(files::read(directory / "complete"))) {
      ready.resolved_requirements = std::move(*resolved);
      return ready;
    }
  }
  build(directory, *interpreter, requirements, job_directory, progress);
  ready.resolved_requirements =
      parse_requirements(files::read(directory / "complete")).value_or(std::vector<std::string>{});
  ready.built = true;
  return ready;
}

void Environments::build(const std::filesystem::path& directory, const Interpreter& interpreter,
                         const Requirements& requirements, const std::filesystem::path& job_directory,
                         const Progress& progress) {
  // An installer may go on after the vdk that started it was killed; two of them must not share the folder.
  kill_marked_processes(build_mark, directory.string());
  files::remove_tree(directory);
  if (progress) {
    progress("creating an environment for " + interpreter.implementation + " " + interpreter.full_version);
  }
  const std::string python = (directory / "bin/python").string();
  const std::string file = (job_directory / "requirements.txt").string();
  std::vector<std::string> resolved;
  try {
    const auto uv = requirements.none || pip_is_configured() ? std::nullopt : process::find_program("uv");
    process::Result made;
    if (uv) {
      made = run_tool({uv->string(), "venv", "--no-project", "--python", interpreter.path.string(), directory.string()},
                      job_directory, directory, progress);
    } else {
      std::vector<std::string> argv{interpreter.path.string(), "-m", "venv"};
      if (requirements.none) {
        argv.emplace_back("--without-pip");  // most of the time goes into pip
      }
      argv.push_back(directory.string());
      made = run_tool(std::move(argv), "/", directory, {});
    }
    expect(made.exit_code == 0, venv_error(interpreter, made));
    if (!requirements.none) {
      const auto installed = uv ? run_tool({uv->string(), "pip", "install", "--python", python, "-r", file},
                                           job_directory, directory, progress)
                                : run_tool({python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
                                            "--progress-bar", "off", "-r", file},
                                           job_directory, directory, progress);
      expect(installed.exit_code == 0, requirements_error(installed));
      const auto frozen = run_tool({python, "-I", "-c", freeze_program}, "/", directory, {});
      expect(frozen.exit_code == 0, venv_error(interpreter, frozen));
      resolved = text::lines(frozen.out);
      std::erase(resolved, "");
    }
  } catch (...) {
    files::remove_tree(directory);
    throw;
  }
  sync_file_system(directory);
  failpoint("target.environment.before_complete");
  files::write_atomic(directory / "complete", serialize(resolved), 0600);
}

void Environments::collect(const std::function<std::set<std::string>()>& used) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(m_directory, error)) {
    const std::string key = entry.path().filename().string();
    if (!entry.is_directory(error) || used().contains(key)) {
      continue;
    }
    // Asked again under the lock: a deployment that refers to the key now was made while it held this lock.
    const auto lock = files::FileLock::try_acquire(m_directory / (key + ".lock"));
    if (lock && !used().contains(key)) {
      fs::remove(entry.path() / "complete", error);
      files::remove_tree(entry.path());
    }
  }
}

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "vdk/core/process.hpp"
#include "vdk/plugin/executor.hpp"

namespace vdk::plugin {

void exec_entrypoint(const std::filesystem::path& output, bool once) {
  const Boot boot = read_boot(output);
  if (boot.entrypoint.script.empty()) {
    throw Error(ErrorKind::user_code,
                {"cannot run the plugin's program", "the plugin names only an image and no entrypoint with a script",
                 "no program was started", "run it as a container of the image '" + boot.image + "'"});
  }
  const std::string& shell = boot.entrypoint.shell;
  const auto program =
      shell.find('/') == std::string::npos ? process::find_program(shell) : std::filesystem::path(shell);
  if (!program) {
    throw Error(ErrorKind::user_code, {"cannot run the plugin's program", "there is no '" + shell + "' on PATH",
                                       "no program was started", "install it, or run the plugin's image"});
  }
  if (once) {
    for (const char* file : {".secret", ".executor.json"}) {
      std::filesystem::remove(output / "in" / file);
    }
  }
  for (const auto* values : {&boot.environment, &boot.secrets}) {
    for (const auto& [name, value] : *values) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ::setenv("JOB_DIR", std::filesystem::absolute(output).lexically_normal().c_str(), 1);  // wherever it is mounted now
  std::string name = shell;
  std::string option = "-c";
  std::string script = boot.entrypoint.script;
  char* argv[] = {name.data(), option.data(), script.data(), nullptr};
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(program->c_str(), argv);
  const int number = errno;
  throw Error(ErrorKind::user_code, {"cannot run '" + program->string() + "'", std::strerror(number),
                                     "no program was started", "check the shell of the plugin's entrypoint"});
}

}  // namespace vdk::plugin

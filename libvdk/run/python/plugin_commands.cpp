// SPDX-License-Identifier: Apache-2.0
#include "vdk/run/plugin_commands.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "run/python/host.hpp"
#include "run/python/plugins.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;

Json configuration(const config::Settings& settings) {
  const auto value = [&](const std::string& name) { return settings.get(name); };
  Json given = plugin_settings(settings, value);
  given["job"] = "";
  given["team"] = settings.get("team");
  given["op_id"] = settings.get("op_id");
  given["execution_id"] = settings.get("execution_id");
  given["attempt_id"] = settings.get("attempt_id");
  given["temporary_directory"] = std::filesystem::temp_directory_path().string();
  given["log_level"] = "WARNING";
  given["json"] = false;
  return given;
}

/// The program's standard text in a file that lives in memory: settings do not belong on a command line.
int in_memory(const std::string& content) {
  const int fd = memfd_create("vdk-plugin-command", 0);
  std::size_t done = 0;
  while (fd >= 0 && done < content.size()) {
    const ssize_t written = write(fd, content.data() + done, content.size() - done);
    if (written <= 0) {
      break;
    }
    done += static_cast<std::size_t>(written);
  }
  if (fd < 0 || done < content.size() || lseek(fd, 0, SEEK_SET) != 0) {
    throw Error(ErrorKind::platform, {"cannot start the command of a Python plugin", std::strerror(errno),
                                      "nothing was done", "Free memory and try again"});
  }
  return fd;
}

Json ask(const std::filesystem::path& interpreter, const config::Settings& settings, const std::string& question,
         const std::string& what) {
  process::Command command;
  command.argv = {interpreter.string(), (sdk_directory() / "host.py").string(), "--command", "0", question};
  command.input = configuration(settings).dump(-1, ' ', false, Json::error_handler_t::replace);
  command.timeout = std::chrono::seconds(20);
  const process::Result result = process::run(command);
  const Json answer = Json::parse(result.out, nullptr, false);
  if (result.exit_code != 0 || answer.is_discarded()) {
    const std::string why = result.timed_out ? "Python took more than 20 s" : std::string(text::trim(result.err));
    throw Error(ErrorKind::platform, {"cannot list the " + what + " of Python plugins", why, "vdk's own are listed",
                                      "Correct or uninstall the plugin, or set VDK_PYTHON_PLUGINS=false"});
  }
  return answer;
}

}  // namespace

std::optional<std::filesystem::path> interpreter_with_plugins() {
  const std::string chosen = process::environment("VDK_PYTHON").value_or("");
  std::optional<std::filesystem::path> interpreter;
  if (chosen.find('/') != std::string::npos) {
    interpreter = chosen;
  } else {
    interpreter = process::find_program(chosen.empty() ? "python3" : chosen);
  }
  return interpreter && python_plugins_installed(*interpreter) ? interpreter : std::nullopt;
}

void become_plugin_command(const std::filesystem::path& interpreter, const PluginCommand& command,
                           const config::Settings& settings) {
  Json given = configuration(settings);
  given["unknown"] = command.unknown;
  given["json"] = command.json;
  const int fd = in_memory(given.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::vector<std::string> words{interpreter.string(), (sdk_directory() / "host.py").string(), "--command",
                                 std::to_string(fd)};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  throw Error(ErrorKind::platform, {"cannot start Python ('" + interpreter.string() + "')", std::strerror(errno),
                                    "commands of Python plugins cannot be run",
                                    "Install that interpreter, or set VDK_PYTHON to the path of another one"});
}

std::map<std::string, std::string> list_plugin_commands(const std::filesystem::path& interpreter,
                                                        const config::Settings& settings) {
  return ask(interpreter, settings, "--list", "commands").get<std::map<std::string, std::string>>();
}

std::vector<PluginSetting> list_plugin_settings(const std::filesystem::path& interpreter,
                                                const config::Settings& settings) {
  std::vector<PluginSetting> found;
  for (const Json& one : ask(interpreter, settings, "--settings", "settings")) {
    found.push_back({one.at("name"), one.at("default"), one.at("help"), one.at("secret")});
  }
  return found;
}

}  // namespace vdk::run

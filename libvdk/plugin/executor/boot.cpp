// SPDX-License-Identifier: Apache-2.0
// The boot step: from a job's folder, its data and its macros to a folder that the program needs nothing else for.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/macros/go_time.hpp"
#include "vdk/core/failpoint.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/executor.hpp"
#include "vdk/plugin/macros.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using macros::Values;

constexpr const char* k_machine_file = ".executor.json";

constexpr std::array<std::string_view, 22> k_dangerous{
    "PATH",       "IFS",     "ENV",          "BASH_ENV",          "SHELLOPTS",  "BASHOPTS",      "PS4",      "CDPATH",
    "GLOBIGNORE", "HOME",    "SHELL",        "PYTHONPATH",        "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT",
    "RUBYOPT",    "RUBYLIB", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "GCONV_PATH", "PROMPT_COMMAND"};

std::string json_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Json parse_object(const std::string& text, const char* what) {
  Json parsed = Json::parse(text.empty() ? "{}" : text, nullptr, false);
  if (!parsed.is_object()) {
    throw Error(ErrorKind::user_code, {std::string("cannot use the ") + what, "they are not a JSON object",
                                       "the program was not started", "give an object such as '{\"key\": \"value\"}'"});
  }
  return parsed;
}

/// Values for macros, and which configuration keys hold a secret.
class Renderer {
 public:
  Renderer(const BootRequest& request, const PluginJob& job) {
    const Interval window = interval(job.window, request.scheduled);
    const std::map<std::string, std::string> system = {
        {"DSTART", go_time::rfc3339(window.start)},
        {"DEND", go_time::rfc3339(window.end)},
        {"EXECUTION_TIME", go_time::rfc3339(request.now)},
        {"JOB_DESTINATION", "vdk://" + request.team + "/" + request.job_name}};
    for (const auto& [name, value] : system) {
      m_values[name] = value;
      m_values["inst." + name] = value;
    }
    m_system = system;
    const Json properties = parse_object(request.properties_json, "properties");
    for (const auto& [name, value] : properties.items()) {
      m_values["proj." + name] = json_text(value);
      m_values["GLOBAL__" + name] = json_text(value);
    }
    const Json secrets = parse_object(request.secrets_json, "secrets");
    for (const auto& [name, value] : secrets.items()) {
      m_values["secret." + name] = json_text(value);
    }
    m_arguments = parse_object(request.arguments_json, "arguments");
    for (const auto& [name, value] : m_arguments.items()) {
      m_values["args." + name] = json_text(value);
    }
  }

  /// Configuration of one unit; an argument of the same name wins over a value.
  void config(const Unit& unit, Boot& boot) const {
    for (const auto& [name, written] : unit.config) {
      const bool given = m_arguments.contains(name);
      const std::string value =
          given ? json_text(m_arguments[name])
                : std::string(text::trim(macros::render(written, m_values, "'" + name + "' of " + unit.name, 0)));
      (!given && is_secret(written) ? boot.secrets : boot.environment)[name] = value;
    }
  }

  /// What hooks may ask of the task: its configuration as it was rendered.
  void let_hooks_see(const Boot& task) {
    for (const auto* values : {&task.environment, &task.secrets}) {
      for (const auto& [name, value] : *values) {
        m_values["task." + name] = value;
        m_values["TASK__" + name] = value;
      }
    }
    for (const auto& [name, value] : task.secrets) {
      m_secret_task_keys.insert(name);
    }
  }

  [[nodiscard]] const Values& values() const { return m_values; }
  [[nodiscard]] const std::map<std::string, std::string>& system() const { return m_system; }
  [[nodiscard]] const Json& arguments() const { return m_arguments; }

 private:
  [[nodiscard]] bool is_secret(const std::string& written) const {
    return macros::holds_secret(written) ||
           std::any_of(m_secret_task_keys.begin(), m_secret_task_keys.end(), [&](const std::string& name) {
             return macros::holds_macro(written) && (written.find(".task." + name) != std::string::npos ||
                                                     written.find(".TASK__" + name) != std::string::npos);
           });
  }

  Values m_values;
  std::map<std::string, std::string> m_system;
  Json m_arguments;
  std::set<std::string> m_secret_task_keys;
};

[[noreturn]] void refuse_name(const std::string& name, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::user_code, {"cannot give '" + name + "' to the program", why,
                                     "nothing was written and the program was not started", countermeasures});
}

void check_names(const Boot& boot, const PluginJob& job) {
  for (const auto* values : {&boot.environment, &boot.secrets}) {
    for (const auto& [name, value] : *values) {
      const auto& allowed = job.allowed_variables;
      if (!is_variable_name(name)) {
        refuse_name(name, "it cannot be an environment variable", "use letters, digits and _ only, not first a digit");
      }
      if (is_dangerous_variable(name) && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
        refuse_name(name, "this variable changes what programs and shells do",
                    "use another name, or list it in allow_env of job.yaml");
      }
      if (value.find('\0') != std::string::npos) {
        refuse_name(name, "its value holds a NUL character", "correct the value");
      }
    }
  }
}

void write_private(const fs::path& file, std::string_view content) {
  // Not write_atomic: the folder around it appears as a whole.
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  std::FILE* stream = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (stream == nullptr) {
    throw system_error("cannot create '" + file.string() + "'", errno, "check the output folder and its disk");
  }
  const bool written = std::fwrite(content.data(), 1, content.size(), stream) == content.size();
  const int number = errno;
  if (std::fclose(stream) != 0 || !written) {
    throw system_error("cannot write '" + file.string() + "'", number, "check that the disk is not full");
  }
}

std::vector<std::string> write_assets(const fs::path& from, const fs::path& to, const Unit& unit,
                                      const Values& values) {
  std::vector<std::string> names;
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return names;
  }
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const std::string name = entry.path().lexically_relative(from).generic_string();
    if (entry.is_symlink() || (!entry.is_regular_file() && !entry.is_directory()) || !is_asset_name(name)) {
      throw Error(ErrorKind::user_code, {"cannot use the asset '" + name + "'", "it is no plain file with a plain name",
                                         "the program was not started", "remove it from the job's assets folder"});
    }
    if (entry.is_directory()) {
      files::make_private_directory(to / name);
      continue;
    }
    fs::create_directories((to / name).parent_path());
    const std::string content = files::read(entry.path());
    const bool rendered = !is_verbatim(unit.verbatim_assets, name);
    write_private(to / name, rendered ? macros::render(content, values, "assets/" + name) : content);
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string machine_file(const Boot& boot) {
  const Json document{{"version", 1},
                      {"environment", boot.environment},
                      {"secrets", boot.secrets},
                      {"image", boot.image},
                      {"entrypoint", {{"shell", boot.entrypoint.shell}, {"script", boot.entrypoint.script}}},
                      {"assets", boot.assets}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Put the staged folder in the place of `in`; what was there goes away. Both names are always whole folders.
void activate(const fs::path& staged, const fs::path& place) {
  if (::rename(staged.c_str(), place.c_str()) == 0) {
    return;
  }
  // A folder with content cannot be renamed over, but the two can change places.
  if ((errno == ENOTEMPTY || errno == EEXIST) &&
      ::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
    return;
  }
  if (errno == EINVAL || errno == ENOSYS) {  // a file system without exchange
    const fs::path aside = staged.string() + ".old";
    if (::rename(place.c_str(), aside.c_str()) == 0 && ::rename(staged.c_str(), place.c_str()) == 0) {
      files::remove_tree(aside);
      return;
    }
  }
  throw system_error("cannot put '" + place.string() + "' in place", errno, "check the output folder");
}

/// The output folder, made when it is missing, while one boot step writes: another one waits. The lock is on the folder
/// itself, so that nothing is left in it; a file system without locks goes without.
class OutputLock {
 public:
  explicit OutputLock(const fs::path& output) {
    std::error_code error;
    fs::create_directories(output, error);
    m_fd = error ? -1 : ::open(output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m_fd < 0) {
      throw system_error("cannot use the folder '" + output.string() + "'", error ? error.value() : errno,
                         "give a folder with --output that this user may write to");
    }
    while (::flock(m_fd, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;
  ~OutputLock() { ::close(m_fd); }

 private:
  int m_fd = -1;
};

/// What a boot step that was killed has left; there may be secrets in it.
void remove_leftovers(const fs::path& output) {
  for (const auto& entry : fs::directory_iterator(output)) {
    if (entry.path().filename().string().starts_with(".in.")) {
      files::remove_tree(entry.path());
    }
  }
}

const Unit& find_unit(const PluginJob& job, const std::string& name) {
  if (name.empty() || name == job.task.name) {
    return job.task;
  }
  std::vector<std::string> names;
  for (const Unit& hook : job.hooks) {
    if (hook.name == name) {
      return hook;
    }
    names.push_back(hook.name);
  }
  throw Error(ErrorKind::not_found, {"cannot find the hook '" + name + "'",
                                     names.empty() ? "the job has no hooks" : "the job has " + text::quoted_list(names),
                                     "nothing was written", "give one of these names"});
}

}  // namespace

bool is_dangerous_variable(std::string_view name) noexcept {
  return name.starts_with("LD_") || name.starts_with("DYLD_") || name.starts_with("BASH_FUNC_") ||
         std::find(k_dangerous.begin(), k_dangerous.end(), name) != k_dangerous.end();
}

std::string shell_lines(const std::map<std::string, std::string>& values) {
  std::string out;
  for (const auto& [name, value] : values) {
    out += name + "='" + text::replace_all(value, "'", "'\\''") + "'\n";
  }
  return out;
}

Boot boot(const BootRequest& request) {
  const PluginJob job = load_plugin_job(request.sources);
  const Unit& unit = find_unit(job, request.unit);
  Renderer renderer(request, job);
  Boot result;
  if (!unit.hook_type.empty()) {
    Boot task;
    renderer.config(job.task, task);
    renderer.let_hooks_see(task);
  }
  renderer.config(unit, result);
  for (const auto& [name, value] : renderer.arguments().items()) {
    const bool known = result.environment.contains(name) || result.secrets.contains(name);
    if (!known && is_variable_name(name) && !is_dangerous_variable(name)) {
      result.environment[name] = json_text(value);
    }
  }
  check_names(result, job);
  for (const auto& [name, value] : renderer.system()) {
    result.environment[name] = value;  // the system's word is the last one
    result.secrets.erase(name);
  }
  result.environment["JOB_NAME"] = request.job_name;
  result.environment["JOB_DIR"] = fs::absolute(request.output).lexically_normal().string();
  result.environment["SCHEDULED_AT"] = go_time::rfc3339(request.scheduled);
  result.environment["INSTANCE_TYPE"] = unit.hook_type.empty() ? "task" : "hook";
  result.environment["INSTANCE_NAME"] = unit.name;
  result.entrypoint = unit.entrypoint;
  result.image = unit.image;

  const OutputLock lock(request.output);
  remove_leftovers(request.output);
  files::TemporaryDirectory staging(request.output, ".in");
  result.assets = write_assets(request.sources / "assets", staging.path(), unit, renderer.values());
  write_private(staging.path() / ".env", shell_lines(result.environment));
  write_private(staging.path() / ".secret", shell_lines(result.secrets));
  write_private(staging.path() / k_machine_file, machine_file(result));
  for (const auto& entry : fs::recursive_directory_iterator(staging.path())) {
    if (entry.is_directory()) {
      fs::permissions(entry.path(), fs::perms::owner_all);
    }
  }
  files::sync_tree(staging.path());
  failpoint("executor.staged");
  activate(staging.path(), request.output / "in");
  files::sync_directory(request.output);
  return result;
}

Boot read_boot(const fs::path& output) {
  const fs::path file = output / "in" / k_machine_file;
  const auto content = files::read_if_exists(file);
  if (!content) {
    throw Error(ErrorKind::not_found,
                {"cannot find what to run", "there is no '" + file.string() + "'", "no program was started",
                 "run `vdk executor init` with the same --output first"});
  }
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0 || (info.st_mode & 022U) != 0 ||
      (info.st_uid != ::geteuid() && info.st_uid != 0)) {
    throw Error(ErrorKind::configuration,
                {"cannot trust '" + file.string() + "'", "it belongs to another user, or others may write into it",
                 "no program was started", "run `vdk executor init` as this user again"});
  }
  Boot boot;
  try {
    const Json document = Json::parse(*content);
    boot.environment = document.at("environment").get<std::map<std::string, std::string>>();
    boot.secrets = document.at("secrets").get<std::map<std::string, std::string>>();
    boot.image = document.at("image").get<std::string>();
    boot.entrypoint.shell = document.at("entrypoint").at("shell").get<std::string>();
    boot.entrypoint.script = document.at("entrypoint").at("script").get<std::string>();
    boot.assets = document.at("assets").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ErrorKind::configuration, {"cannot read '" + file.string() + "'", "it is damaged",
                                           "no program was started", "run `vdk executor init` again"});
  }
  return boot;
}

}  // namespace vdk::plugin

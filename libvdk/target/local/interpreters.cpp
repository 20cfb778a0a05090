// SPDX-License-Identifier: Apache-2.0
#include "target/local/interpreters.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "vdk/config/secrets.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::target {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int oldest_supported_minor = 8;  // the job-side SDK runs on Python 3.8 and later
constexpr long long failure_lifetime_seconds = 300;

// One line of JSON: version, implementation, and the interpreter itself (not the shim or venv in front of it).
constexpr const char* probe_program =
    "import json,os,sys;v=sys.version_info;"
    "e=getattr(sys,'_base_executable',None) if sys.prefix!=sys.base_prefix else sys.executable;"
    "e=e if e and os.path.exists(e) else sys.executable;"
    "print(json.dumps([v[0],v[1],v[2],v[3],v[4],sys.implementation.name,e]))";

bool is_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// python3, python3.N, pypy3, pypy3.N
bool is_interpreter_name(std::string_view name) {
  for (const std::string_view prefix : {"python3", "pypy3"}) {
    if (name == prefix) {
      return true;
    }
    if (name.starts_with(prefix) && name.size() > prefix.size() + 1 && name[prefix.size()] == '.' &&
        is_digits(name.substr(prefix.size() + 1))) {
      return true;
    }
  }
  return false;
}

std::string stamp_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return {};
  }
  return std::to_string(status.st_size) + ":" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? path : real;
}

std::optional<Interpreter> read_answer(const fs::path& asked, const std::string& output) {
  const auto lines = text::lines(output);
  if (lines.empty()) {
    return std::nullopt;
  }
  const Json answer = Json::parse(lines.back(), nullptr, false);
  if (!answer.is_array() || answer.size() != 7) {
    return std::nullopt;
  }
  try {
    Interpreter interpreter;
    interpreter.version = std::to_string(answer[0].get<int>()) + "." + std::to_string(answer[1].get<int>());
    interpreter.full_version = interpreter.version + "." + std::to_string(answer[2].get<int>());
    if (answer[3] != "final") {
      interpreter.full_version += answer[3].get<std::string>().substr(0, 1) + std::to_string(answer[4].get<int>());
    }
    const auto name = answer[5].get<std::string>();
    interpreter.implementation = name == "cpython" ? "CPython" : name == "pypy" ? "PyPy" : name;
    // A shim or the venv that vdk runs in may change or go away: then what stands behind it is what we keep.
    const fs::path executable = answer[6].get<std::string>();
    interpreter.path =
        real_path(asked) == real_path(executable) && stamp_of(asked.parent_path().parent_path() / "pyvenv.cfg").empty()
            ? asked
            : executable;
    return interpreter;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

int minor_of(const Interpreter& interpreter) {
  return static_cast<int>(text::parse_int(interpreter.version.substr(interpreter.version.find('.') + 1)).value_or(0));
}

bool newer_first(const Interpreter& a, const Interpreter& b) { return minor_of(a) > minor_of(b); }

/// Files of PATH that are named like an interpreter, in PATH order, each real file once.
std::vector<fs::path> candidates() {
  std::vector<fs::path> found;
  std::set<fs::path> seen;
  for (const std::string& folder : text::split(process::environment("PATH").value_or(""), ':')) {
    std::error_code error;
    if (folder.empty() || folder.front() != '/') {
      continue;  // the current folder is no place to find the interpreter of a service
    }
    std::vector<fs::path> here;
    for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, error)) {
      if (is_interpreter_name(entry.path().filename().string()) && ::access(entry.path().c_str(), X_OK) == 0) {
        here.push_back(entry.path());
      }
    }
    // The longer name first: python3.11 keeps its meaning when the distribution moves python3.
    std::sort(here.begin(), here.end(), [](const fs::path& a, const fs::path& b) { return a.string() > b.string(); });
    for (fs::path& path : here) {
      if (seen.insert(real_path(path)).second) {
        found.push_back(std::move(path));
      }
    }
  }
  return found;
}

}  // namespace

namespace {

std::optional<Interpreter> ask(const std::filesystem::path& path, bool& timed_out) {
  process::Command command;
  command.argv = {path.string(), "-I", "-c", probe_program};
  command.timeout = std::chrono::seconds(10);
  command.unset = config::secret_variables();
  command.directory = "/";  // a version manager looks for its settings in the current folder
  try {
    const process::Result result = process::run(command);
    timed_out = result.timed_out;
    if (result.exit_code != 0 || result.timed_out) {
      return std::nullopt;
    }
    return read_answer(path, result.out);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<Interpreter> probe_interpreter(const std::filesystem::path& path) {
  bool timed_out = false;
  return ask(path, timed_out);
}

std::vector<Interpreter> discover_interpreters(const std::filesystem::path& cache_file) {
  local::InterpreterCache cache(cache_file);
  std::vector<Interpreter> found;
  for (const fs::path& path : candidates()) {
    const auto interpreter = cache.probe(path);
    if (!interpreter || minor_of(*interpreter) < oldest_supported_minor) {
      continue;
    }
    const auto same = std::find_if(found.begin(), found.end(),
                                   [&](const Interpreter& other) { return other.version == interpreter->version; });
    if (same == found.end()) {
      found.push_back(*interpreter);
    } else if (same->implementation != "CPython" && interpreter->implementation == "CPython") {
      *same = *interpreter;
    }
  }
  cache.save();
  std::stable_sort(found.begin(), found.end(), newer_first);
  return found;
}

namespace local {

InterpreterCache::InterpreterCache(std::filesystem::path file) : m_file(std::move(file)) {
  if (!m_file.empty()) {
    load();
  }
}

void InterpreterCache::load() {
  try {
    const auto content = files::read_if_exists(m_file);
    if (!content) {
      return;
    }
    const Json document = Json::parse(*content);
    for (const auto& [path, value] : document.items()) {
      Entry entry;
      entry.stamp = value.at("stamp");
      entry.checked = value.at("checked");
      if (value.contains("path")) {
        entry.real_stamp = value.at("real_stamp");
        entry.interpreter = Interpreter{value.at("version"), value.at("implementation"), value.at("full_version"),
                                        value.at("path").get<std::string>()};
      }
      m_entries[path] = std::move(entry);
    }
  } catch (const std::exception&) {
    m_entries.clear();  // a damaged cache costs time, nothing else
  }
}

bool InterpreterCache::is_fresh(const Entry& entry, const std::filesystem::path& path) const {
  if (entry.stamp.empty() || entry.stamp != stamp_of(path)) {
    return false;
  }
  if (!entry.interpreter) {
    return std::time(nullptr) - entry.checked < failure_lifetime_seconds;
  }
  return entry.real_stamp == stamp_of(entry.interpreter->path);
}

std::optional<Interpreter> InterpreterCache::probe(const std::filesystem::path& path) {
  const auto known = m_entries.find(path.string());
  if (known != m_entries.end() && is_fresh(known->second, path)) {
    return known->second.interpreter;
  }
  Entry entry;
  entry.stamp = stamp_of(path);
  entry.checked = std::time(nullptr);
  bool timed_out = false;
  entry.interpreter = ask(path, timed_out);
  if (timed_out) {
    return std::nullopt;  // a busy machine says nothing about the interpreter: it is asked again
  }
  if (entry.interpreter) {
    entry.real_stamp = stamp_of(entry.interpreter->path);
  }
  m_changed = true;
  return (m_entries[path.string()] = std::move(entry)).interpreter;
}

void InterpreterCache::save() {
  if (!m_changed || m_file.empty()) {
    return;
  }
  Json document = Json::object();
  for (const auto& [path, entry] : m_entries) {
    Json value{{"stamp", entry.stamp}, {"checked", entry.checked}};
    if (entry.interpreter) {
      value["real_stamp"] = entry.real_stamp;
      value["version"] = entry.interpreter->version;
      value["implementation"] = entry.interpreter->implementation;
      value["full_version"] = entry.interpreter->full_version;
      value["path"] = entry.interpreter->path.string();
    }
    document[path] = std::move(value);
  }
  try {
    files::make_private_directory(m_file.parent_path());
    files::write_atomic(m_file, document.dump(1), 0600);
  } catch (const std::exception&) {
    return;  // only a cache
  }
}

}  // namespace local

}  // namespace vdk::target

// SPDX-License-Identifier: Apache-2.0
#include "vdk/job/job.hpp"

#include <algorithm>

#include "vdk/core/text.hpp"

namespace vdk::job {
namespace {

namespace fs = std::filesystem;

fs::path resolve_directory(const fs::path& directory) {
  std::error_code error;
  const fs::path resolved = fs::canonical(directory, error);
  if (error || !fs::is_directory(resolved, error)) {
    const bool exists = fs::exists(directory, error);
    throw Error(ErrorKind::usage,
                {"cannot read the data job '" + directory.string() + "'",
                 exists ? "It is not a folder." : "There is no such folder.", "The command did not start.",
                 "Give the path of a folder that holds a data job; `vdk create` makes one."});
  }
  return resolved;
}

}  // namespace

std::string_view to_string(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::sql:
      return "sql";
    case StepKind::python:
      return "python";
    case StepKind::program:
      return "program";
  }
  return "";
}

Job load(const fs::path& directory) {
  Job job;
  job.directory = resolve_directory(directory);
  job.name = job.directory.filename().string();
  const fs::path config_file = job.directory / "config.ini";
  std::error_code ignored;
  if (fs::exists(config_file, ignored)) {
    job.ini = config::IniFile::load(config_file);
    job.config = read_config(*job.ini);
  }
  job.steps = find_steps(job.directory);
  return job;
}

std::vector<Step> find_steps(const fs::path& directory) {
  std::vector<Step> steps;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string lowered = text::lower(name);
    const bool sql = lowered.ends_with(".sql");
    std::error_code ignored;
    if ((sql || lowered.ends_with(".py")) && !entry->is_directory(ignored)) {
      steps.push_back({name, sql ? StepKind::sql : StepKind::python, entry->path()});
    }
  }
  if (error) {
    throw system_error("cannot list the folder '" + directory.string() + "'", error.value());
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.name < b.name; });
  return steps;
}

}  // namespace vdk::job

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
    case StepKind::ingest:
      return "ingest";
    case StepKind::program:
      return "program";
  }
  return "";
}

std::string place_of(const Step& step) {
  if (!step.cell) {
    return step.name;
  }
  std::string place = step.file.filename().string() + ", cell " + std::to_string(step.cell->number);
  return step.cell->id.empty() ? place : place + " (cell_id:" + step.cell->id + ")";
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
  job.steps = find_steps(job.directory, &job.notebooks);
  return job;
}

std::vector<Step> find_steps(const fs::path& directory, std::vector<Notebook>* notebooks) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = text::lower(entry->path().filename().string());
    std::error_code ignored;
    const fs::file_type kind = entry->status(ignored).type();
    const bool is_file = kind == fs::file_type::regular || kind == fs::file_type::not_found;  // a dangling link is told
    if ((name.ends_with(".sql") || name.ends_with(".py") || name.ends_with(".ipynb")) && is_file) {
      found.push_back(entry->path());
    }
  }
  if (error) {
    throw system_error("cannot list the folder '" + directory.string() + "'", error.value());
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  std::vector<Step> steps;
  for (const fs::path& file : found) {
    const std::string extension = text::lower(file.extension().string());
    if (extension != ".ipynb") {
      steps.push_back({file.filename().string(), extension == ".sql" ? StepKind::sql : StepKind::python, file});
      continue;
    }
    Notebook notebook = read_notebook(file);
    steps.insert(steps.end(), notebook.steps.begin(), notebook.steps.end());
    if (notebooks != nullptr) {
      notebooks->push_back(std::move(notebook));
    }
  }
  return steps;
}

}  // namespace vdk::job

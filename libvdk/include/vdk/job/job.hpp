// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/config/ini.hpp"

namespace vdk::job {

/// Addresses that are told about a job, as in config.ini [contacts].
struct Contacts {
  std::vector<std::string> notified_on_job_failure_user_error;
  std::vector<std::string> notified_on_job_failure_platform_error;
  std::vector<std::string> notified_on_job_success;
  std::vector<std::string> notified_on_job_deploy;
};

/// What config.ini says about the job itself; [vdk] settings are read by config::Settings.
struct JobConfig {
  std::string team;
  std::string schedule_cron;
  std::string python_version;  ///< text, never a number: "3.10" stays "3.10"
  std::string db_default_type;
  Contacts contacts;
  bool enable_execution_notifications = true;
  bool enable_attempt_notifications = false;
  int notification_delay_period_minutes = 240;
  std::vector<std::string> warnings;  ///< unknown keys with the nearest known one, as "FILE:LINE: text"
};

/// A program is no file of the folder: a job made from a plugin has such steps.
enum class StepKind { sql, python, ingest, program };
[[nodiscard]] std::string_view to_string(StepKind kind) noexcept;

/// Where a step stands in a notebook, and its text.
struct Cell {
  std::string id;          ///< as in the file; empty before nbformat 4.5
  std::size_t number = 0;  ///< among all cells of the notebook, from 1: what a person counts
  std::string source;      ///< of %%vdksql and %%vdkingest cells without the magic; line numbers stay
};

/// A file, or a cell of a notebook.
struct Step {
  std::string name;  ///< file name with extension; of a cell the notebook's base name, `_`, and its number among steps
  StepKind kind = StepKind::python;
  std::filesystem::path file;
  std::optional<Cell> cell = std::nullopt;
};
/// "10_load.sql", or "20_report.ipynb, cell 3 (cell_id:a1b2)": how messages call a step.
[[nodiscard]] std::string place_of(const Step& step);

/// A notebook at the top of a job folder.
struct Notebook {
  std::filesystem::path file;
  std::string kernel;          ///< name of the kernel specification, "python3"
  std::string language;        ///< lower case; empty when the file does not say
  std::string python_version;  ///< of the kernel that wrote it, "3.11.2"; may be empty
  std::vector<Step> steps;     ///< cells tagged `vdk` or marked `# vdk: step`, from top to bottom
};
/// Throws Error(user_code) with the place when the file is no notebook that can be read.
[[nodiscard]] Notebook read_notebook(const std::filesystem::path& file);

/// A data job on disk.
struct Job {
  std::string name;  ///< last component of the resolved folder
  std::filesystem::path directory;
  std::optional<config::IniFile> ini;
  JobConfig config;
  std::vector<Step> steps;          ///< in the order in which they run
  std::vector<Notebook> notebooks;  ///< all of the folder, also those without steps
};

/// Read a job folder. Throws Error(usage) when it is no folder, Error(configuration) for a bad config.ini.
/// A missing config.ini is fine here; deploy asks `ini` itself. Throws Error(user_code) for a notebook that cannot be
/// read.
[[nodiscard]] Job load(const std::filesystem::path& directory);

/// Typed reading of config.ini (contract 2.1); bad values throw Error(configuration) with their place.
[[nodiscard]] JobConfig read_config(const config::IniFile& ini);
/// Steps of a folder: top-level names ending .sql, .py or .ipynb in any case, in plain byte order of the file name; of
/// a notebook its marked cells. `notebooks` gets what was read of those.
[[nodiscard]] std::vector<Step> find_steps(const std::filesystem::path& directory,
                                           std::vector<Notebook>* notebooks = nullptr);

/// 6 to 50 of [a-z0-9-], first a letter. Throws Error(usage) that says which rule is broken and proposes a name.
void validate_name(std::string_view name);
[[nodiscard]] bool is_valid_name(std::string_view name) noexcept;

/// What `vdk create --local` does. The folder PARENT/NAME appears whole or not at all.
struct CreateOptions {
  std::string name;
  std::string team;
  std::filesystem::path parent;
  std::string template_name = "default";  ///< a folder of templates/job/
  /// Puts the job's files into its new folder; of the template only config.ini is taken then.
  std::function<void(const std::filesystem::path&)> fill = nullptr;
};
/// Returns the created folder. Throws Error(conflict) when it exists, Error(not_found) when the parent is missing.
std::filesystem::path create(const CreateOptions& options);
/// Names that `create` knows, from share/vdk/templates/job; VDK_CONTROL_SAMPLE_JOB_DIRECTORY replaces "default".
[[nodiscard]] std::vector<std::string> template_names();

}  // namespace vdk::job

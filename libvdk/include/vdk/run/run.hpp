// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/config/settings.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"
#include "vdk/job/job.hpp"
#include "vdk/run/log_format.hpp"
#include "vdk/run/plan.hpp"

namespace vdk::run {

class Observer;  ///< sees all that happens (vdk/run/observer.hpp)
class Screen;    ///< draws on the terminal meanwhile (vdk/run/observer.hpp)

/// cancelled = it was running when Ctrl-C or SIGTERM came, and did not get to its end.
enum class StepStatus { success, error, not_runnable, skip_requested, cancelled };
[[nodiscard]] std::string_view to_string(StepStatus status) noexcept;  ///< lower case, as in the summary file
/// The step did not do its work.
[[nodiscard]] constexpr bool is_failure(StepStatus status) noexcept {
  return status == StepStatus::error || status == StepStatus::cancelled;
}

/// Who must fix a failure; the texts of the original: "User Error", "Platform error", "Configuration error".
enum class Blamee { none, user, platform, configuration };
[[nodiscard]] std::string_view to_string(Blamee blamee) noexcept;

struct StepResult {
  std::string name;
  std::string type;  ///< sql | python | ingest
  std::filesystem::path file;
  std::string cell_id;          ///< of a notebook's cell, when the file has ids
  std::size_t cell_number = 0;  ///< among all cells of the notebook, from 1; 0 = the step is a file
  std::size_t line = 0;         ///< where it failed: in the file or within the cell; 0 = unknown
  TimePoint start_time;
  TimePoint end_time;
  StepStatus status = StepStatus::success;
  Blamee blamee = Blamee::none;
  std::string exception_name;  ///< class name, e.g. "KeyError"
  std::string exception;       ///< message
  std::string details;         ///< traceback lines or SQL error for people
  long long rows = 0;          ///< ingested by it
};

struct RunResult {
  bool success = true;
  int exit_code = 0;
  Blamee blamee = Blamee::none;
  std::string details;             ///< root cause; empty on success
  std::string termination_status;  ///< "Success" | "User error" | "Platform error" | "Skipped"
  TimePoint start_time;
  TimePoint end_time;
  std::string execution_id;
  std::vector<StepResult> steps;
  bool handled = false;     ///< a Python plugin has dealt with the failure: the exit code is 0
  bool remembered = false;  ///< a later run can go on where this one ended
};

/// Key-value data that belongs to a job: properties or secrets. Values travel as one JSON object.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;
  [[nodiscard]] virtual std::string read_all() = 0;            ///< JSON object, "{}" when empty
  virtual void write_all(const std::string& json_object) = 0;  ///< replaces everything
};

struct Ids {
  std::string attempt_id;
  std::string execution_id;
  std::string op_id;
};
/// Contract run 1.6: what settings give, the rest made up.
[[nodiscard]] Ids make_ids(const config::Settings& settings, const Clock& clock);

struct RunRequest {
  const job::Job& job;
  const config::Settings& settings;
  std::string arguments_json;         ///< empty = {}
  std::filesystem::path interpreter;  ///< Python for .py steps; empty = choose_interpreter()
  Ids ids;
  KeyValueStore* properties = nullptr;  ///< null = in memory, with a warning on write
  KeyValueStore* secrets = nullptr;
  Observer* observer = nullptr;
  /// The command of a step that is a program; it runs with our streams until it ends. Throws when it cannot be made
  /// ready.
  std::function<process::Command(const job::Step&)> program = nullptr;
  std::vector<job::Step> after_failure = {};  ///< run, each of them, when a step has failed
  Rerun rerun;                                ///< which steps; the default is all
  bool collected_logs = false;  ///< full log lines (a deployed execution) instead of short ones (a terminal)
  LogFormat log_format = LogFormat::text;
  Screen* screen = nullptr;  ///< what steps print on a terminal, and log lines, are written by it
};

/// A run has been asked to end by a signal.
[[nodiscard]] bool is_interrupted() noexcept;

/// Run all steps of a job in this process (SQL on SQLite) and one Python child. Never throws for a failing job: the
/// result says it. Writes logs to stderr, user prints to stdout, the summary and termination files when settings name
/// them.
[[nodiscard]] RunResult run_job(const RunRequest& request, const Clock& clock);

/// Serve a Python program (a notebook kernel, a test) that has the other end of `socket`: settings, properties,
/// ingestion and templates of the job, none of whose steps is run. Returns when the program closes its end.
void serve_job(const RunRequest& request, const Clock& clock, int socket);

/// Where the Python side of vdk lies. Throws Error when it is missing.
[[nodiscard]] std::filesystem::path job_sdk_directory();

/// What run_job would do, without doing it. Throws what make_plan throws, Error(conflict) when the job is running.
[[nodiscard]] Plan plan_job(const RunRequest& request, const Clock& clock);

/// Interpreter for a job outside of a deployment: VDK_PYTHON, else the `pythonX.Y` that config.ini asks for, else the
/// one of the notebooks' kernel (its specification, or the version that wrote them), else `python3` on PATH. `warning`
/// gets a text when what runs is not what was asked for.
[[nodiscard]] std::filesystem::path choose_interpreter(const job::Job& job, std::string& warning);

/// Whether a plugin of the original (a distribution with the entry point group vdk.plugin.run) is installed where this
/// interpreter looks. Reads folders and small files, starts nothing.
[[nodiscard]] bool python_plugins_installed(const std::filesystem::path& interpreter);

/// The result as one JSON object, in the form of the original's full summary (log_execution_result).
[[nodiscard]] std::string result_json(const RunResult& result, const std::string& job_name);

/// Write the termination file (setting termination_message_writer_output_file); failures are ignored as in the
/// original.
void write_termination_file(const config::Settings& settings, std::string_view status);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/ingest/ingest.hpp"
#include "run/python/host.hpp"
#include "run/rerun/recorder.hpp"
#include "run/session.hpp"
#include "vdk/run/observer.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Executes the steps that a plan chose, one after the other: SQL in this process, Python in the host. `run_step` is
/// the one place where a step starts and ends.
class Runner {
 public:
  explicit Runner(Session& session);

  /// Each step of the job is written down there.
  void record_to(RerunRecorder& recorder) { m_recorder = &recorder; }
  /// Bring the host into the state of a snapshot; false with the reason when that cannot be done.
  [[nodiscard]] bool restore(const std::filesystem::path& snapshot, std::string& why);
  /// The steps of the plan that run, up to the first that fails or asks to skip the rest.
  [[nodiscard]] std::vector<StepResult> run(const Plan& plan);
  /// Let Python plugins end the job: finalize_job, vdk_exception, vdk_exit.
  void finish_plugins(RunResult& result);
  /// Answer a Python program that uses the job without running it, until it closes the socket.
  void serve(int socket);
  /// End the host and close the databases.
  void finish();
  [[nodiscard]] int exit_code() const noexcept { return m_exit_code; }

 private:
  using Json = nlohmann::ordered_json;
  /// The job or a template that one of its steps runs: what their steps see as their own.
  struct Context {
    int id = 0;     ///< 0 = the job
    int depth = 0;  ///< of templates in templates
    std::filesystem::path directory;
    Json arguments;
    std::string database;  ///< default one of a template run; empty = the job's
  };
  [[nodiscard]] std::vector<StepResult> run_steps(const std::vector<const job::Step*>& steps, const Context& context);
  [[nodiscard]] StepResult run_step(const StepStart& start, const Context& context);
  void execute(const job::Step& step, const Context& context, StepResult& result);
  void run_sql(const job::Step& step, const Context& context, StepResult& result);
  void run_program(const job::Step& step, StepResult& result);
  void run_python(const job::Step& step, const Context& context, StepResult& result);
  /// Send a message to the host and answer what it asks until it is done; empty when it died.
  [[nodiscard]] Json converse(const Json& message);
  void start_host();
  /// The host says how a step ended.
  void take_outcome(const Json& done, const Context& context, StepResult& result);

  // runner_plugins.cpp
  struct SqlWork {
    std::string database;          ///< as the step names it; empty = the default
    std::string sql;               ///< values put in
    std::string place;             ///< file or cell, for people
    std::function<void()> native;  ///< runs it in this process
  };
  [[nodiscard]] bool plugins_wanted() const;
  /// Whether the host should look: not where the folders of a real interpreter hold none.
  [[nodiscard]] bool plugins_possible(const std::filesystem::path& interpreter) const;
  void find_plugins();
  void ask_plugins();
  /// Lower-case name of the database when a plugin has it, else empty.
  [[nodiscard]] std::string plugin_database(const std::string& name);
  /// False when no plugin has to do with it.
  [[nodiscard]] bool run_sql_by_plugins(const job::Step& step, const Context& context, const SqlWork& work,
                                        StepResult& result);
  void run_native_sql();
  void host_died(StepResult& result);
  [[nodiscard]] std::string answer(const std::string& line);
  [[nodiscard]] std::string run_template(const Json& request);
  void log_end(const StepResult& result) const;
  void say_progress(std::size_t number, std::size_t count) const;

  Session& m_session;
  RerunRecorder* m_recorder = nullptr;
  Asked m_asked;  ///< by the step of the job that runs
  Ingester m_ingester;
  std::unique_ptr<PythonHost> m_host;
  Json m_plugins;  ///< what the host says of its plugins; null = not asked
  std::vector<std::unique_ptr<KeyValueStore>> m_host_stores;
  std::function<void()> m_native_sql;
  std::optional<Error> m_native_failure;
  int m_exit_code = 0;
  int m_depth = 0;
};

}  // namespace vdk::run

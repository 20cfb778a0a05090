// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "control/store_support.hpp"
#include "vdk/control/embedded.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::control::testing {

struct HeldClock final : Clock {
  TimePoint time = from_unix_micros(1'700'000'000'000'000);  // 2023-11-14T22:13:20Z, a Tuesday
  [[nodiscard]] TimePoint now() const override { return time; }
};

/// What the target did, shared by the test and the service that owns the target.
struct Runtime {
  std::map<std::string, std::string> deployments;
  std::map<std::string, std::map<std::string, std::string>> files;
  std::map<std::string, target::ExecutionObservation> executions;
  std::map<std::string, int> starts;
  int applies = 0;
  int lists = 0;
  bool bad_requirements = false;
  bool lose_starts = false;
  int looks_until_running = 0;  ///< how often an execution is seen as submitted before it is seen as running
};

/// Stands in for a machine that runs jobs, so that its failures and delays can be chosen. The real local target has
/// tests of its own; database, git and cryptography here are the real ones.
class FakeTarget final : public target::Target {
 public:
  explicit FakeTarget(std::shared_ptr<Runtime> runtime) : m_runtime(std::move(runtime)) {}

  target::AppliedDeployment apply(const target::DeploymentSpec& spec,
                                  const std::function<void(const std::filesystem::path&)>& write_sources,
                                  const target::Progress& /*progress*/) override {
    ++m_runtime->applies;
    if (m_runtime->bad_requirements) {
      throw Error(ErrorKind::user_code, {"cannot install the requirements", "no such package", "c", "Fix the file."});
    }
    const files::TemporaryDirectory folder;
    write_sources(folder.path());
    auto& written = m_runtime->files[spec.job_name];
    written.clear();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) {
        written[std::filesystem::relative(entry.path(), folder.path()).string()] = files::read(entry.path());
      }
    }
    m_runtime->deployments[spec.job_name] = spec.version_hash;
    return {"env-1", {"pandas==2.0.0"}, true};
  }
  void remove(const std::string& job_name) override { m_runtime->deployments.erase(job_name); }
  std::map<std::string, std::string> list() override {
    ++m_runtime->lists;
    return m_runtime->deployments;
  }
  void start(const target::ExecutionSpec& spec) override {
    if (m_runtime->lose_starts) {
      return;
    }
    // As every target: a start that is repeated, by a server that was faster than the first one's, runs nothing again.
    if (const auto [place, is_new] = m_runtime->executions.try_emplace(spec.id); is_new) {
      ++m_runtime->starts[spec.id];
      place->second.phase = m_runtime->looks_until_running > 0 ? target::Phase::submitted : target::Phase::running;
    }
  }
  void cancel(const std::string& id) override {
    if (const auto found = m_runtime->executions.find(id); found != m_runtime->executions.end()) {
      found->second.phase = target::Phase::lost;
    }
  }
  target::ExecutionObservation observe(const std::string& id) override {
    const auto found = m_runtime->executions.find(id);
    if (found == m_runtime->executions.end()) {
      return {};
    }
    const target::ExecutionObservation seen = found->second;
    if (seen.phase == target::Phase::submitted && --m_runtime->looks_until_running <= 0) {
      found->second.phase = target::Phase::running;
    }
    return seen;
  }
  std::string logs(const std::string& id, int /*tail_lines*/) override { return "log of " + id; }
  void forget(const std::string& id) override { m_runtime->executions.erase(id); }

 private:
  std::shared_ptr<Runtime> m_runtime;
};

struct Fixture {
  files::TemporaryDirectory scratch;
  std::filesystem::path home = scratch.path() / "home";
  TestDatabase database{home};
  std::shared_ptr<Runtime> runtime = std::make_shared<Runtime>();
  std::shared_ptr<HeldClock> clock = std::make_shared<HeldClock>();
  EmbeddedOptions options{.home = home,
                          .database = database.options(),
                          .python = std::make_shared<PythonCatalog>(PythonVersions{
                              {{"3.11", "/usr/bin/python3", "", ""}, {"3.10", "/opt/python3.10", "", ""}}, "3.11"}),
                          .caller = {"alice", "op1"}};
  std::unique_ptr<Service> service = open();

  [[nodiscard]] std::unique_ptr<Service> open() const {
    return open_embedded(options, std::make_unique<FakeTarget>(runtime), clock);
  }

  [[nodiscard]] static DataJob job(const std::string& name, const std::string& schedule = "") {
    DataJob result;
    result.job_name = name;
    result.team = "team";
    result.schedule_cron = schedule;
    return result;
  }

  [[nodiscard]] std::string zip(const std::string& name, const std::string& step) const {
    const auto folder = scratch.path() / "src" / name;
    std::filesystem::create_directories(folder / "lib");
    std::ofstream(folder / "10_step.py") << step;
    std::ofstream(folder / "lib" / "helper.txt") << "helper of " << name;
    return job::pack(folder, name);
  }

  std::string upload(const std::string& name, const std::string& step) const {
    return service->upload("team", name, zip(name, step), "why not");
  }

  DeployOutcome deploy(const std::string& name, const std::string& step, const std::string& schedule = "") const {
    try {
      service->create_job(job(name, schedule));
    } catch (const Error&) {
      service->update_job(job(name, schedule));
    }
    DeploymentRequest request;
    request.job_version = upload(name, step);
    return service->deploy("team", name, request, {});
  }

  void finish(const std::string& id, const std::string& status, const std::string& message = "") const {
    auto& execution = runtime->executions[id];
    execution.phase = target::Phase::finished;
    execution.termination_status = status;
    execution.message = message;
    execution.end_time = clock->time;
  }
};

/// The error that `work` throws; fails the test when it throws none.
template <typename Work>
[[nodiscard]] Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error was thrown");
  throw std::logic_error("unreachable");
}

}  // namespace vdk::control::testing

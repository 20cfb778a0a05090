// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <fstream>
#include <map>
#include <string>

#include "vdk/core/files.hpp"
#include "vdk/job/job.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// A job folder in a private place, run for real: files, SQLite, Python child.
class JobFixture {
 public:
  JobFixture() : m_directory({}, "vdk-run") { std::filesystem::create_directory(job_directory()); }

  [[nodiscard]] std::filesystem::path root() const { return m_directory.path(); }
  [[nodiscard]] std::filesystem::path job_directory() const { return root() / "sample-job"; }
  void add(const std::string& name, const std::string& content) const {
    std::ofstream(job_directory() / name, std::ios::binary) << content;
  }
  RunResult run(const std::string& arguments = {}) {
    const job::Job loaded = job::load(job_directory());
    config::Settings::Inputs inputs;
    inputs.environment = {{"VDK_SQLITE_FILE", database().string()},
                          {"VDK_JOB_RUN_SUMMARY_FILE_PATH", (root() / "summary.json").string()},
                          {"VDK_TERMINATION_MESSAGE_WRITER_OUTPUT_FILE", (root() / "termination.json").string()},
                          {"VDK_TEMPORARY_WRITE_DIRECTORY", (root() / "tmp").string()},
                          {"VDK_STATE_DIR", (root() / "state").string()}};
    inputs.environment.insert(environment.begin(), environment.end());
    inputs.job_config = loaded.ini;
    const config::Settings settings(std::move(inputs));
    const SystemClock clock;
    const RunRequest request{.job = loaded,
                             .settings = settings,
                             .arguments_json = arguments,
                             .interpreter = interpreter,
                             .ids = make_ids(settings, clock),
                             .properties = properties,
                             .secrets = secrets,
                             .collected_logs = false};
    return run_job(request, clock);
  }
  [[nodiscard]] std::filesystem::path database() const { return root() / "data.db"; }
  /// First column of the first row as text; "NULL" for null, "" for no row.
  [[nodiscard]] std::string query(const std::string& sql) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(database().c_str(), &db) == SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    std::string result;
    const int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
    if (code != SQLITE_OK) {
      result = std::string("error: ") + sqlite3_errmsg(db);
    } else if (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* value = sqlite3_column_text(statement, 0);
      result = value == nullptr ? "NULL" : reinterpret_cast<const char*>(value);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return result;
  }
  std::map<std::string, std::string> environment;
  std::filesystem::path interpreter;
  KeyValueStore* properties = nullptr;
  KeyValueStore* secrets = nullptr;

 private:
  files::TemporaryDirectory m_directory;
};

/// A store that can be looked into.
class TestStore final : public KeyValueStore {
 public:
  std::string read_all() override {
    if (broken) {
      throw Error(ErrorKind::unreachable, {"cannot read", "the service is away", "", ""});
    }
    return content;
  }
  void write_all(const std::string& json_object) override { content = json_object; }
  std::string content = "{}";
  bool broken = false;
};

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "target/local/documents.hpp"

namespace vdk::target::local {

/// Names in executions/ID/, shared by who starts and watches an execution and by the supervisor that runs it.
class ExecutionFolder {
 public:
  explicit ExecutionFolder(std::filesystem::path directory) : m_directory(std::move(directory)) {}

  /// Environment variable with the folder's path: the mark of all processes of an execution.
  static constexpr const char* mark = "VDK_LOCAL_EXECUTION";

  [[nodiscard]] const std::filesystem::path& directory() const { return m_directory; }
  [[nodiscard]] std::filesystem::path spec() const { return m_directory / "spec.json"; }
  [[nodiscard]] std::filesystem::path lock() const { return m_directory / "lock"; }
  [[nodiscard]] std::filesystem::path started() const { return m_directory / "started"; }
  [[nodiscard]] std::filesystem::path spawned() const { return m_directory / "pid"; }
  [[nodiscard]] std::filesystem::path cancelled() const { return m_directory / "cancelled"; }
  [[nodiscard]] std::filesystem::path late() const { return m_directory / "late"; }
  [[nodiscard]] std::filesystem::path log() const { return m_directory / "log"; }
  [[nodiscard]] std::filesystem::path events() const { return m_directory / "events.jsonl"; }
  [[nodiscard]] std::filesystem::path step() const { return m_directory / "step"; }
  [[nodiscard]] std::filesystem::path result() const { return m_directory / "result.json"; }

  [[nodiscard]] std::optional<ExecutionSpec> read_spec() const;
  [[nodiscard]] std::optional<ResultDocument> read_result() const;
  /// True for exactly one caller, ever: who gets it may run the job (or knows that nobody will).
  [[nodiscard]] bool claim() const;
  /// Time at which the job was claimed.
  [[nodiscard]] std::optional<TimePoint> claimed_at() const;

 private:
  std::filesystem::path m_directory;
};

/// Throws when `name` is not fit to be the name of a folder.
void check_folder_name(const std::string& name, const char* kind);

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "run/report/log_lines.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Stands in where no service keeps the data: lives as long as the run and says so at the first write.
class MemoryStore final : public KeyValueStore {
 public:
  MemoryStore(std::string name, const LogLines& lines) : m_name(std::move(name)), m_lines(lines) {}
  [[nodiscard]] std::string read_all() override { return m_content; }
  void write_all(const std::string& json_object) override;

 private:
  std::string m_name;
  const LogLines& m_lines;
  std::string m_content = "{}";
  bool m_warned = false;
};

/// One JSON file for many jobs, {"TEAM_JOB__": {...}}: the one of vdk-properties-fs.
class FileStore final : public KeyValueStore {
 public:
  FileStore(std::filesystem::path file, std::string key) : m_file(std::move(file)), m_key(std::move(key)) {}
  [[nodiscard]] std::string read_all() override;
  void write_all(const std::string& json_object) override;

 private:
  std::filesystem::path m_file;
  std::string m_key;
};

/// The configured kind does not exist: an error, but only for who uses it.
class UnknownStore final : public KeyValueStore {
 public:
  UnknownStore(std::string name, std::string kind) : m_name(std::move(name)), m_kind(std::move(kind)) {}
  [[nodiscard]] std::string read_all() override;
  void write_all(const std::string& json_object) override;

 private:
  [[nodiscard]] Error failure() const;
  std::string m_name;
  std::string m_kind;
};

}  // namespace vdk::run

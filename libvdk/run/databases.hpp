// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::run {

/// The databases that a job can name, and the connections of this process to them (one for each file).
class Databases {
 public:
  explicit Databases(std::map<std::string, std::filesystem::path> files, std::string default_name);

  [[nodiscard]] const std::map<std::string, std::filesystem::path>& files() const noexcept { return m_files; }
  [[nodiscard]] const std::string& default_name() const noexcept { return m_default_name; }
  /// File of a database; empty name = the default. Throws Error(configuration) that names the known ones.
  [[nodiscard]] std::filesystem::path file(std::string_view name) const;
  /// Open connection to a file, opened at first use.
  [[nodiscard]] sqlite3* connection(const std::filesystem::path& path);
  /// What of an open connection the next steps may depend on and a later run cannot have; empty when nothing.
  [[nodiscard]] std::string open_state() const;
  /// Something lasts to the end of the run that a later run cannot have.
  void note_state(std::string what) { m_state = std::move(what); }
  /// Roll back what steps left open and close everything; returns the files where a transaction was open.
  [[nodiscard]] std::vector<std::string> close();

 private:
  struct Closer {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  };
  std::map<std::string, std::filesystem::path> m_files;
  std::string m_default_name;
  std::string m_state;
  std::map<std::filesystem::path, std::unique_ptr<sqlite3, Closer>> m_connections;
};

}  // namespace vdk::run

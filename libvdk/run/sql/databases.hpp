// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "run/sql/sqlite_database.hpp"

namespace vdk::run {

/// The databases that a job can name: files of SQLite and servers, each with the one connection of this process.
class Databases {
 public:
  explicit Databases(std::map<std::string, std::filesystem::path> files, std::string default_name);

  /// A database that is no file; a name of a file that is taken already stays that file.
  void add(const std::string& name, std::unique_ptr<Database> database);
  [[nodiscard]] const std::map<std::string, std::filesystem::path>& files() const noexcept { return m_files; }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<Database>>& servers() const noexcept { return m_servers; }
  [[nodiscard]] const std::string& default_name() const noexcept { return m_default_name; }
  [[nodiscard]] bool has(const std::string& name) const;
  /// All names, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  /// The database of a name; empty = the default. Throws Error(configuration) that names the known ones.
  [[nodiscard]] Database& find(std::string_view name);
  /// The file of a name, which has one.
  [[nodiscard]] const std::filesystem::path& file(const std::string& name) const { return m_files.at(name); }
  /// Open connection to a file, opened at first use.
  [[nodiscard]] sqlite3* connection(const std::filesystem::path& path) { return sqlite(path).connection(); }
  /// What of an open connection the next steps may depend on and a later run cannot have; empty when nothing.
  [[nodiscard]] std::string open_state();
  /// Names of databases that scripts have attached since this was asked last; "" where the name is not known.
  [[nodiscard]] std::set<std::string> take_attached();
  /// Something lasts to the end of the run that a later run cannot have.
  void note_state(std::string what) { m_state = std::move(what); }
  /// Roll back what steps left open and close everything; returns where a transaction was open. `stamped`: a later run
  /// will ask whether something was written to the servers.
  [[nodiscard]] std::vector<std::string> close(bool stamped);
  /// Stamps that the servers had when they were closed, by name, as far as steps used them.
  [[nodiscard]] const std::map<std::string, std::string>& stamps() const noexcept { return m_stamps; }

 private:
  SqliteDatabase& sqlite(const std::filesystem::path& path);
  std::map<std::string, std::filesystem::path> m_files;
  std::map<std::string, std::unique_ptr<Database>> m_servers;
  std::map<std::string, std::string> m_stamps;
  std::string m_default_name;
  std::string m_state;
  std::map<std::filesystem::path, std::unique_ptr<SqliteDatabase>> m_open_files;
};

}  // namespace vdk::run

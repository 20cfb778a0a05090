// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "run/rerun/store.hpp"

namespace vdk::run {

/// How the things that steps depend on are now, for coming records and for comparing with old ones.
class RerunInputs {
 public:
  RerunInputs(const Session& session, const RerunStore& store);

  /// Settings, interpreter, requirements, databases by name: one text each, by what a person calls it.
  [[nodiscard]] const Texts& environment() const noexcept { return m_environment; }
  [[nodiscard]] std::string environment_key() const;
  /// Adds the folders where the interpreter's packages lie; known only once it has run.
  void add_packages(const std::vector<std::string>& folders);
  /// What an old environment has otherwise, as a clause; empty when nothing.
  [[nodiscard]] std::string environment_change(const Texts& old) const;
  [[nodiscard]] const std::string& module_names() const noexcept { return m_module_names; }

  [[nodiscard]] static std::string source(const job::Step& step);
  /// Content of a file by a hash, by size and time when it is large; "missing".
  [[nodiscard]] static std::string file_stamp(const std::filesystem::path& path);
  /// "there", "missing" or "a link to nothing".
  [[nodiscard]] static std::string presence(const std::filesystem::path& path);
  /// Size and time of a file, presence of anything else.
  [[nodiscard]] static std::string measure(const std::filesystem::path& path);
  /// Where a symbolic link leads; of no link: "".
  [[nodiscard]] static std::string link_target(const std::filesystem::path& path);
  /// Which file it is, with size and time; "missing".
  [[nodiscard]] static std::string file_identity(const std::filesystem::path& path);
  [[nodiscard]] static std::string listing_stamp(const std::filesystem::path& path);
  /// Identity and change counter of an SQLite database.
  [[nodiscard]] static std::string database_stamp(const std::filesystem::path& path);
  /// Stamps of all files, and of the servers that steps of this run used.
  [[nodiscard]] Texts databases() const;
  /// Stamps of the servers that are in use, equal to none of a later run but for the identity.
  [[nodiscard]] Texts servers() const;
  /// The stamp now of a place that `databases` named.
  [[nodiscard]] std::string database_now(const std::string& place) const;
  /// Salted hash of an argument, property or secret; `*` = all together.
  [[nodiscard]] std::string value(const std::string& store, const std::string& name) const;
  /// Salted hash of a variable of the caller's environment; `*` = the names of all that can matter.
  [[nodiscard]] std::string variable(const std::string& name) const;
  /// Without what terminals and sessions set of themselves, and without vdk's settings, which are known otherwise.
  [[nodiscard]] static std::vector<std::string> variables_that_matter();
  /// The store has other values now.
  void forget(const std::string& store) { m_values.erase(store); }

 private:
  void read_environment();
  void read_variables();
  void read_module_names();
  const nlohmann::ordered_json& values(const std::string& store) const;
  const Session& m_session;
  const RerunStore& m_store;
  Texts m_environment;
  std::string m_module_names;
  mutable std::map<std::string, nlohmann::ordered_json> m_values;
};

/// Stable name of a step: the file, and of a cell its id, else a hash of its text; never its position.
[[nodiscard]] std::vector<std::string> identities(const std::vector<job::Step>& steps);

}  // namespace vdk::run

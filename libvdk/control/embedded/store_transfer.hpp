// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "control/embedded/store.hpp"

namespace vdk::control {

/// Whole databases: copied from one to another, looked at below the level of their meaning.
class StoreTransfer {
 public:
  explicit StoreTransfer(Store& store) : m_store(store) {}

  /// The state of one moment as the new SQLite file `folder`/control.db, while others write.
  void save(const std::filesystem::path& folder);
  /// True when nothing that belongs to a job is stored.
  [[nodiscard]] bool is_empty();
  /// Take over the rows of another store, in one transaction.
  void load(Store& from);
  /// What the database itself finds wrong with its file and its references; empty = nothing.
  [[nodiscard]] std::vector<std::string> problems();
  /// How many rows speak of jobs that do not exist, and what they are; `remove` deletes them.
  [[nodiscard]] std::vector<std::string> orphans(bool remove);
  /// Jobs that have an actual deployment and do not exist.
  [[nodiscard]] std::vector<std::string> orphan_deployments();

 private:
  static void copy(StoreSession& from, StoreSession& to, const std::string& table);
  Store& m_store;
};

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "run/rerun/record.hpp"
#include "run/session.hpp"
#include "vdk/core/files.hpp"

namespace vdk::run {

/// The private folder where the runs of one job folder are remembered: `.vdk` of the job folder when that exists, else
/// below the setting state_dir, else below XDG's folder for state. Held alone: one run at a time.
class RerunStore {
 public:
  /// Nothing when another run holds it (`why` says so) or when it cannot be written.
  [[nodiscard]] static std::unique_ptr<RerunStore> open(const Session& session, std::string& why);

  RunState state;  ///< as it was found; empty steps when nothing is known
  /// Write `state`: whole or not at all, readable for the owner only.
  void save();
  /// Write what is new of `state`: the records of these steps, and what else has changed. Costs the same however many
  /// steps there are.
  void save_steps(const std::vector<std::string>& identities);
  [[nodiscard]] std::filesystem::path snapshot(const std::string& name) const {
    return m_directory / "snapshots" / name;
  }
  [[nodiscard]] std::filesystem::path backup(const std::string& name) const { return m_directory / "backups" / name; }
  /// The next `save_steps` writes all: steps were removed.
  void renew() { m_head = nullptr; }
  /// Remove snapshots that no record needs, and the oldest ones when all together are larger than `limit` bytes.
  void clean(long long limit);
  /// Salted hash of a value: the file must not give away secrets.
  [[nodiscard]] std::string hash(const std::string& value) const;

 private:
  RerunStore(std::filesystem::path directory, files::FileLock lock);
  void load(const std::string& job);
  void read_log();
  std::filesystem::path m_directory;
  files::FileLock m_lock;
  nlohmann::json m_head;                 ///< what is written of `state` besides the steps
  std::unique_ptr<std::ofstream> m_log;  ///< what was added since `state` was written whole
};

}  // namespace vdk::run

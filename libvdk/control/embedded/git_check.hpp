// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "control/embedded/sources.hpp"
#include "vdk/control/embedded.hpp"

namespace vdk::control {

/// Looks whether the repository of the sources has what rows name, down to the last file. Each tree is read once.
class GitCheck {
 public:
  explicit GitCheck(const EmbeddedOptions& options);
  ~GitCheck();
  GitCheck(const GitCheck&) = delete;
  GitCheck& operator=(const GitCheck&) = delete;

  /// "is not in the repository", or what of it is missing; nothing when the version is whole.
  [[nodiscard]] std::optional<std::string> problem(const std::string& job, const std::string& version);
  /// Id of the job's folder in that version; empty when there is none.
  [[nodiscard]] std::string folder(const std::string& job, const std::string& version);

 private:
  struct Git;
  const EmbeddedOptions& m_options;
  std::unique_ptr<Git> m_git;
  std::set<std::string> m_whole;  ///< trees that were read already
};

}  // namespace vdk::control

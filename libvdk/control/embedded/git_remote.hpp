// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "control/embedded/git_repository.hpp"
#include "vdk/control/embedded.hpp"

namespace vdk::control::git {

/// An address without user name and password, for people.
[[nodiscard]] std::string shown_address(std::string address);

/// A repository elsewhere. Every call talks to it anew. Error(unreachable) when it cannot be talked to or refuses the
/// login; the password never gets into a message.
class Remote {
 public:
  Remote(Repository& mirror, const SourceOptions& options) : m_mirror(mirror), m_options(options) {}

  /// Head of the branch over there, with all its commits brought here; nothing while the branch does not exist.
  [[nodiscard]] std::optional<git_oid> fetch();
  /// Makes `oid` the head of the branch over there; the remote's reason when it does not want that.
  [[nodiscard]] std::optional<std::string> push(const git_oid& oid);

 private:
  [[nodiscard]] Error unreachable(const std::string& action) const;
  Repository& m_mirror;
  const SourceOptions& m_options;
};

}  // namespace vdk::control::git

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugin/fetch/address.hpp"
#include "vdk/core/http.hpp"

namespace vdk::plugin {

/// The git program, run so that neither the configuration of a person or a machine, nor a repository, nor a server
/// decides what it does: no hooks, no submodules, one protocol, no questions; secrets go through its environment.
/// It is git and not libgit2 because libgit2 1.5 has neither time limits on the network nor shallow fetches.
class GitCommand {
 public:
  GitCommand(const ProviderConfig& config, std::filesystem::path home);
  struct Limits {
    std::uint64_t bytes = 0;  ///< of the folder `home`, looked at while it runs; 0 = not looked at
    const std::atomic<bool>* cancelled = nullptr;
  };
  /// Standard output. Throws login, not_found, unreachable, too_large, interrupted or platform.
  [[nodiscard]] std::string run(const std::vector<std::string>& arguments, const Limits& limits,
                                const std::string& input = {});
  /// What to hand to git as the repository's address: never with a secret in it.
  [[nodiscard]] const std::string& address() const noexcept { return m_address; }

 private:
  void set_environment(const Address& address);
  void set_ssh();
  [[noreturn]] void fail(const std::string& messages, int exit_code) const;

  const ProviderConfig& m_config;
  std::filesystem::path m_home;
  std::string m_address;
  std::map<std::string, std::string> m_environment;
  std::vector<std::string> m_unset;
};

}  // namespace vdk::plugin

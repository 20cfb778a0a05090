// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

struct NetrcLogin {
  std::string user;
  std::string password;
};

/// The netrc file: the one that auth names (relative to the configuration's folder), else $NETRC, else ~/.netrc.
[[nodiscard]] std::filesystem::path netrc_file(const ProviderConfig& config);
/// Login of a host, or the file's default. Throws Error(configuration) when the file is missing or others may read it.
[[nodiscard]] std::optional<NetrcLogin> netrc_login(const std::filesystem::path& file, const std::string& host);

}  // namespace vdk::plugin

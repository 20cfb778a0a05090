// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/server_config.hpp"

namespace vdk::control {

ServerConfigResult read_server_config(const std::filesystem::path& file,
                                      const std::map<std::string, std::string>& /*environment*/,
                                      const std::filesystem::path& default_home) {
  ServerConfigResult result;
  result.config.file = file;
  result.config.embedded.home = default_home;
  return result;
}

ServerConfig load_server_config(const std::filesystem::path& file,
                                const std::map<std::string, std::string>& environment,
                                const std::filesystem::path& default_home) {
  return read_server_config(file, environment, default_home).config;
}

const std::vector<ServerKey>& server_keys() {
  static const std::vector<ServerKey> keys;
  return keys;
}

}  // namespace vdk::control

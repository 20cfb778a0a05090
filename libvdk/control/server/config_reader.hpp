// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/server/config_keys.hpp"

namespace YAML {
class Node;
}

/// The YAML file: keys with their places, and whatever is wrong with them.
namespace vdk::control::server_config {

/// What a file says, before the values are looked at.
struct FileContent {
  GivenValues values;
  std::vector<PythonVersion> python_versions;
  bool has_python_versions = false;
  std::vector<ConfigProblem> problems;
  std::map<std::string, std::pair<std::size_t, std::size_t>> positions;
};
[[nodiscard]] FileContent read_yaml(const std::string& content, const std::filesystem::path& base);

/// The dictionary of Python versions; `key` is its name as it was written.
void read_python_map(const YAML::Node& node, const std::string& key, const std::filesystem::path& base,
                     FileContent& out);
/// The same from a variable, as YAML or JSON.
void read_python_text(const std::string& text, const std::string& variable, const std::filesystem::path& base,
                      FileContent& out);

}  // namespace vdk::control::server_config

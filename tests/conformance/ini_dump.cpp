// SPDX-License-Identifier: Apache-2.0
// Reads every file of a folder as an ini file and prints one line of JSON for each, in name order.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "vdk/config/ini.hpp"

namespace {

nlohmann::json dump(const std::filesystem::path& path) {
  nlohmann::json line{{"name", path.filename().string()}};
  try {
    const auto ini = vdk::config::IniFile::load(path);
    auto sections = nlohmann::json::array();
    for (const std::string& section : ini.sections()) {
      auto values = nlohmann::json::array();
      for (const std::string& key : ini.keys(section)) {
        values.push_back({key, ini.get(section, key).value()});
      }
      sections.push_back({section, values});
    }
    line["sections"] = std::move(sections);
  } catch (const vdk::Error& error) {
    const auto& place = error.location();
    line["error"] = error.text().why;
    line["line"] = place ? place->line : 0;
    line["column"] = place ? place->column : 0;
  }
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ini_dump FOLDER\n";
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    std::cout << dump(path).dump() << '\n';
  }
  return 0;
}

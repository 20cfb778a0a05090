// SPDX-License-Identifier: Apache-2.0
// Any bytes: the reader takes them or gives a located error, and what it took can be changed and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vdk/config/ini.hpp"
#include "vdk/job/job.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  try {
    const auto ini = vdk::config::IniFile::parse(content, "config.ini");
    for (const auto& section : ini.sections()) {
      for (const auto& key : ini.keys(section)) {
        if (ini.find(section, key) == nullptr) {
          std::abort();
        }
      }
    }
    (void)vdk::job::read_config(ini);
  } catch (const vdk::Error& error) {
    if (!error.location() || error.location()->line == 0) {
      std::abort();
    }
  }
  return 0;
}

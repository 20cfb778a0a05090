// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "run/log_lines.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Stands in where no service keeps the data: lives as long as the run and says so at the first write.
class MemoryStore final : public KeyValueStore {
 public:
  MemoryStore(std::string name, const LogLines& lines) : m_name(std::move(name)), m_lines(lines) {}
  [[nodiscard]] std::string read_all() override { return m_content; }
  void write_all(const std::string& json_object) override;

 private:
  std::string m_name;
  const LogLines& m_lines;
  std::string m_content = "{}";
  bool m_warned = false;
};

}  // namespace vdk::run

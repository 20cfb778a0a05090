// SPDX-License-Identifier: Apache-2.0
#include "run/stores.hpp"

namespace vdk::run {

void MemoryStore::write_all(const std::string& json_object) {
  if (!m_warned) {
    m_lines.warning("the " + m_name +
                    " are kept in memory only and are gone when this run ends; deploy the job to keep them");
    m_warned = true;
  }
  m_content = json_object;
}

}  // namespace vdk::run

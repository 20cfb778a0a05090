// SPDX-License-Identifier: Apache-2.0
#include "control/server/metrics_text.hpp"

#include <fmt/format.h>

#include "vdk/core/text.hpp"

namespace vdk::control::rest {

std::string prometheus_escape(std::string value) {
  value = text::replace_all(std::move(value), "\\", "\\\\");
  value = text::replace_all(std::move(value), "\"", "\\\"");
  return text::replace_all(std::move(value), "\n", "\\n");
}

void prometheus_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

void prometheus_number(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                       long long value) {
  prometheus_head(out, name, type, help);
  out += fmt::format("{} {}\n", name, value);
}

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::cli {

/// Ask one question of a plugin on the terminal: options by number or text, help on `?`, secrets without echo. What was
/// typed comes back, empty for the default.
[[nodiscard]] std::string ask_question(const plugin::Question& question, const std::string& fallback,
                                       const std::string& mistake);

}  // namespace vdk::cli

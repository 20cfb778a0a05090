// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace vdk::run {

/// What Python's str() gives for the value: 1, True, None, text as it is, {'a': [1]}.
[[nodiscard]] std::string python_str(const nlohmann::ordered_json& value);

}  // namespace vdk::run

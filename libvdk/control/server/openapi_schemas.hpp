// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace vdk::control::rest {

/// `components.schemas` of the OpenAPI document.
[[nodiscard]] nlohmann::ordered_json openapi_schemas();

}  // namespace vdk::control::rest

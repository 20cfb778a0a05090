// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vdk/auth/token_source.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/core/http.hpp"

namespace vdk::cli {

/// How the control service and its login provider are reached.
[[nodiscard]] http::ClientOptions http_options(const config::Settings& settings);
/// Where the tokens of this process come from.
[[nodiscard]] auth::TokenSourceOptions token_options(const config::Settings& settings);

}  // namespace vdk::cli

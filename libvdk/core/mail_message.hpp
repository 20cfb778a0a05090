// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <string>

#include "vdk/core/http.hpp"

namespace vdk::http {

/// Error(usage) for what is no bare address or could smuggle a line into the dialogue with the server.
void check_address(const std::string& address);

/// The mail as it goes over the wire: headers, and the HTML body in base64. No text can add a header.
[[nodiscard]] std::string make_message(const Mail& mail, std::time_t now);

}  // namespace vdk::http

// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/server.hpp"

namespace vdk::control {

std::string openapi_document(const std::string& /*api_version*/) { return "{}"; }

}  // namespace vdk::control

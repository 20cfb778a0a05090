// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/fetch/address.hpp"
#include "vdk/core/http.hpp"

namespace vdk::plugin {

/// Headers that log in to an HTTP source: bearer, basic, header, netrc, or the login in its address. Resolves secrets.
/// Throws Error(configuration) for other kinds.
[[nodiscard]] http::Headers auth_headers(const ProviderConfig& config, const Address& address);

}  // namespace vdk::plugin

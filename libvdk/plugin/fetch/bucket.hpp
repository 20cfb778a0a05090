// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

/// Pages of a bucket's list that are read at the most.
inline constexpr int k_max_list_pages = 200;

/// Throws Error(configuration) when the provider's bucket has no name that may stand in an address.
void require_bucket(const ProviderConfig& config);
/// Error(too_large) for a list with more pages than that.
[[nodiscard]] Error list_too_long(const ProviderConfig& config);

}  // namespace vdk::plugin

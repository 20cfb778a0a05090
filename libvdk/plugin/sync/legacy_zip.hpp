// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/sync/peer.hpp"

namespace vdk::plugin::detail {

/// The YAML plugins in a zip of Optimus's server, by the names that stand in them. A file that cannot be read as a
/// plugin is left out with a warning; a zip without any plugin is an Error.
[[nodiscard]] Offer read_legacy_zip(std::string_view zip, const Limits& limits);

/// What is wrong with a YAML plugin, for one line of text; empty = nothing.
[[nodiscard]] std::string first_mistake(const std::vector<Problem>& problems);

}  // namespace vdk::plugin::detail

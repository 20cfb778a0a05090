// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::plugin {

/// True for "^1.2", "1.x", ">=1, <2", "*": a text that names several versions.
[[nodiscard]] bool is_constraint(std::string_view text);
/// What is wrong with a constraint; nothing when it can be read.
[[nodiscard]] std::optional<std::string> constraint_mistake(std::string_view text);
/// The newest of `versions` that fits; nothing when none does. An empty constraint takes the newest release.
[[nodiscard]] std::optional<std::string> newest(const std::vector<std::string>& versions, std::string_view constraint);
/// True for a name that may become a part of a path.
[[nodiscard]] bool is_plugin_name(std::string_view text);
/// True for a version that may become a part of a path.
[[nodiscard]] bool is_plugin_version(std::string_view text);

}  // namespace vdk::plugin

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Status sentences for people, always on stderr: plain text for info, `warning: ` and `error: ` before the others
/// (the original's shape). Levels are the original's names.
namespace vdk::log {

enum class Level { debug, info, warning, error, critical };

/// Nothing below this is written. Default info.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace vdk::log

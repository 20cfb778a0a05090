// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "vdk/config/settings.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/log.hpp"

namespace vdk::run {

class Observer;
struct Ids;

/// text = sentences for a person, or the original's line where logs are collected; json = one object per line.
enum class LogFormat { text, json };

/// What `given` (a flag, may be empty) or the settings log_format and logging_format ask for. Throws Error(usage) or
/// Error(configuration) for a format that does not exist.
[[nodiscard]] LogFormat choose_log_format(const std::string& given, const config::Settings& settings);

/// JSON lines for what is logged before and after a run, which does so by itself.
[[nodiscard]] log::Route json_log(const std::string& job, const Ids& ids, const Clock& clock);

/// Hands log lines to an observer; run_job does so by itself.
[[nodiscard]] std::function<void(log::Level, std::string_view)> listener(Observer& observer);

/// The level of log_level_vdk, when somebody has set it. Throws Error(configuration) for one that does not exist.
void apply_log_level(const config::Settings& settings);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vdk/core/error.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Who has to act on an error of this kind.
[[nodiscard]] Blamee blamee_of(ErrorKind kind) noexcept;
/// The words of the channel to the Python host: user, platform, configuration.
[[nodiscard]] Blamee blamee_named(std::string_view name) noexcept;
[[nodiscard]] std::string short_blamee(Blamee blamee);
/// The text of an error for results and logs, without a line end.
[[nodiscard]] std::string failure_text(const Error& error);
/// The same as the text of an exception: without the label in front, which the exception's name stands for.
[[nodiscard]] std::string spoken(const Error& error);
/// The step has failed with this error.
void fail_with(StepResult& step, const Error& error);
/// The step has ended because this signal came; where it was stays.
void mark_cancelled(StepResult& step, int signal_number);
/// The run has failed outside of any step.
void fail_run(RunResult& result, const Error& error);

}  // namespace vdk::run

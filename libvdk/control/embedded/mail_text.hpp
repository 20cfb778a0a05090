// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vdk/control/model.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control {

/// The bodies of mails: complete HTML documents in which everything that comes from outside is escaped.
[[nodiscard]] std::string deployment_mail(const DataJob& job, const Deployment& deployment, const std::string& status,
                                          const std::optional<Error>& problem);
[[nodiscard]] std::string execution_mail(const DataJob& job, const Execution& execution, const std::string& status);
[[nodiscard]] std::string delay_mail(const DataJob& job, const Execution& execution, TimePoint due);

[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace vdk::control

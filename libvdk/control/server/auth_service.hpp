// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "control/server/auth.hpp"
#include "vdk/control/service.hpp"

namespace vdk::control::rest {

/// `service` as this person may use it: what belongs to other teams is refused with status 403 or left out of lists,
/// before pages and totals are made. Both arguments must live longer.
[[nodiscard]] std::unique_ptr<Service> restrict_service(Service& service, const Principal& principal);

/// Throws Refusal(403) unless the person may work with this team.
void require_team(const Principal& principal, const std::string& team);

}  // namespace vdk::control::rest

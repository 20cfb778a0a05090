// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace vdk::control {

class StoreSession;

/// The store's schema, one step after the other; number N is element N-1. A released step never changes.
/// The statements of one step are separated by `;` at the end of a line. Only SQL that PostgreSQL reads as well.
[[nodiscard]] std::span<const std::string_view> migrations() noexcept;
[[nodiscard]] long long known_schema_version() noexcept;

/// The version that the database has; 0 = none yet.
[[nodiscard]] long long schema_version(StoreSession& session);
/// Bring the database to the known version, inside a Write. One of several servers that start at once does it, the
/// others wait. Error(platform) when a newer vdk has written it.
void migrate(StoreSession& session);

}  // namespace vdk::control

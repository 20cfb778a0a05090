// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "run/postgres/connection.hpp"

namespace vdk::run {

class Session;

/// The postgres_ settings of [vdk], or of the section [vdk_SECTION], as keywords of libpq; empty when there are none.
[[nodiscard]] postgres::Parameters postgres_settings(const Session& session, const std::string& section);
/// Whether they say which database, not only as whom.
[[nodiscard]] bool names_postgres(const Session& session, const std::string& section);
/// Whether libpq's own variables say which server, database or user.
[[nodiscard]] bool environment_names_postgres();
/// The keywords, with those that every connection of vdk has around them.
[[nodiscard]] postgres::Parameters postgres_parameters(const postgres::Parameters& settings);

}  // namespace vdk::run

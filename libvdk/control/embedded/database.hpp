// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/control/embedded.hpp"

namespace vdk::control {

/// How libpq is told where to go.
struct PostgresAddress {
  std::string connection;  ///< for libpq, password included
  std::string place;       ///< "NAME at HOST:PORT", for messages
  std::string password;    ///< from the options or the URL
  std::string schema;      ///< JDBC's currentSchema
};

/// True for the addresses that PostgreSQL answers; false for the SQLite file of the home (an empty url). Anything else
/// is Error(configuration).
[[nodiscard]] bool is_postgresql(const DatabaseOptions& options);

/// Reads postgresql://, postgres:// and jdbc:postgresql:// addresses. User and password of the options win over those
/// in the address. Error(configuration) for what is no such address; it never shows a password.
[[nodiscard]] PostgresAddress parse_postgres(const DatabaseOptions& options);

/// Bytes that are no UTF-8, and NUL, become U+FFFD.
[[nodiscard]] std::string clean_text(const std::string& text);

}  // namespace vdk::control

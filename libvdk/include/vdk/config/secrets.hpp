// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What must not be shown or handed on.
namespace vdk::config {

/// True for a setting that is declared secret, and for an undeclared one whose name says so: db_password, access_token.
[[nodiscard]] bool is_secret_name(std::string_view name);
/// The text with stars in place of the password of each address in it.
[[nodiscard]] std::string mask_addresses(std::string text);
/// A line of a YAML or ini file as it may be shown: what secret keys and addresses hold becomes stars, one for each
/// byte, so that a caret below it still points to its place.
[[nodiscard]] std::string mask_line(std::string line);
/// The VDK_ variables of this process that hold secrets, for starting programs that need none of them.
[[nodiscard]] std::vector<std::string> secret_variables();

}  // namespace vdk::config

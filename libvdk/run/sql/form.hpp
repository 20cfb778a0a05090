// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace vdk::run {

/// SQL without comments and with every white space as one blank: two texts with the same form do the same. Left alone
/// are strings, quoted names, {names}, comments that hold a {name}, and texts with dollar quotes.
[[nodiscard]] std::string sql_form(std::string_view sql);
/// The names in {}, as substitution looks for them.
[[nodiscard]] std::set<std::string> placeholders(std::string_view sql);

}  // namespace vdk::run

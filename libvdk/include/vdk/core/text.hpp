// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vdk::text {

/// ASCII white space removed at both ends.
[[nodiscard]] std::string_view trim(std::string_view s) noexcept;
/// ASCII lower / upper case; other bytes stay.
[[nodiscard]] std::string lower(std::string_view s);
[[nodiscard]] std::string upper(std::string_view s);
/// Split at every `separator`; an empty input gives one empty part.
[[nodiscard]] std::vector<std::string> split(std::string_view s, char separator);
[[nodiscard]] std::vector<std::string> lines(std::string_view s);  ///< at \n or \r\n; no empty last line
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string replace_all(std::string s, std::string_view from, std::string_view to);
/// 'a', 'b' and 'c' - for sentences that list choices.
[[nodiscard]] std::string quoted_list(const std::vector<std::string>& items);
[[nodiscard]] bool is_valid_utf8(std::string_view s) noexcept;
/// Terminal columns of UTF-8 text: wide characters count 2, combining ones 0.
[[nodiscard]] std::size_t display_width(std::string_view s) noexcept;
/// Damerau-Levenshtein distance over bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to `word` when it is near enough to be a typing mistake ("did you mean").
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
/// true/false/1/0/yes/no/y/n/on/off in any case, else nothing.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view s);
[[nodiscard]] std::optional<long long> parse_int(std::string_view s);
/// One word that any POSIX shell reads back unchanged.
[[nodiscard]] std::string shell_quote(std::string_view s);

}  // namespace vdk::text

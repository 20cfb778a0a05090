// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vdk::base64 {

/// One line with padding.
[[nodiscard]] std::string encode(std::string_view bytes);
/// Strict: standard alphabet, padded; line ends are skipped. Nothing when it is anything else.
[[nodiscard]] std::optional<std::string> decode(std::string_view text);

}  // namespace vdk::base64

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace vdk::control {

/// The store's schema, one step after the other; number N is element N-1. A released step never changes.
/// The statements of one step are separated by `;` at the end of a line. Only SQL that PostgreSQL reads as well.
[[nodiscard]] std::span<const std::string_view> migrations() noexcept;

}  // namespace vdk::control

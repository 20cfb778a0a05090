// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Prometheus' text format.
namespace vdk::control::rest {

/// A label's value between its quotes.
[[nodiscard]] std::string prometheus_escape(std::string value);
void prometheus_head(std::string& out, std::string_view name, std::string_view type, std::string_view help);
/// A metric without labels.
void prometheus_number(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                       long long value);

}  // namespace vdk::control::rest

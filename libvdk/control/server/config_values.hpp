// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Values of a configuration file as people write them in Kubernetes and Spring files.
namespace vdk::control::server_config {

/// Cores: "500m", "2", "0.5"; nothing when it is none or not positive.
[[nodiscard]] std::optional<double> parse_cpu(std::string_view text);
/// MiB: "1G", "1000Mi", "500M", bytes without a unit; nothing when it is none or below one MiB.
[[nodiscard]] std::optional<int> parse_memory(std::string_view text);
/// Bytes: "8KB", "256MB", "2GB" (steps of 1024, as Spring has them), "8KiB", "4096".
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text);
/// VDK_SERVER_DATABASE_JDBC_URL for database.jdbcUrl.
[[nodiscard]] std::string environment_name(std::string_view key);
/// The text with what looks like a secret replaced by stars: the value of a key whose name says so, and the password
/// of an address.
[[nodiscard]] std::string mask_secrets(const std::string& line);

}  // namespace vdk::control::server_config

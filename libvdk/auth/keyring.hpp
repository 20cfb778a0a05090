// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

/// The system's keyring through libsecret, which is loaded when first asked for. One entry per credential file.
namespace vdk::auth::keyring {

/// Each throws Error(platform) when there is no keyring to ask.
void store(const std::string& file, const std::string& secrets);
[[nodiscard]] std::optional<std::string> load(const std::string& file);
void erase(const std::string& file);

}  // namespace vdk::auth::keyring

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vdk::control {

/// The 32-byte key of this home's secrets: VDK_SECRETS_KEY (64 hex digits), else HOME/secret.key, made when missing.
[[nodiscard]] std::string load_secrets_key(const std::filesystem::path& home);
/// AES-256-GCM, as hex of nonce, tag and ciphertext. `bound_to` (the job's name) is authenticated with it.
[[nodiscard]] std::string encrypt(const std::string& key, std::string_view plain, std::string_view bound_to);
/// Throws Error(platform) when the key is another one or the text was changed.
[[nodiscard]] std::string decrypt(const std::string& key, std::string_view cipher, std::string_view bound_to);

}  // namespace vdk::control

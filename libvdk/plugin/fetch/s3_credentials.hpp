// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "vdk/plugin/config.hpp"

namespace vdk::plugin {

struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

/// Nothing = anonymous (no auth). Else, the first that there is: the keys in the configuration; the named profile of
/// the credentials file; AWS_ACCESS_KEY_ID and its companions; the profile AWS_PROFILE or `default`. Throws
/// Error(configuration) when there are none. The file is AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials.
[[nodiscard]] std::optional<S3Credentials> s3_credentials(const ProviderConfig& config);

}  // namespace vdk::plugin

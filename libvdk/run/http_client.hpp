// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vdk::run {

struct HttpAnswer {
  long status = 0;    ///< 0 = no answer
  std::string error;  ///< why there is none
};

/// POST through libcurl, which is loaded at the first call only: it would triple the start time of every vdk command.
/// Throws Error(platform) when the library is not installed.
[[nodiscard]] HttpAnswer http_post(const std::string& url, const std::string& body, const std::string& content_type);

}  // namespace vdk::run

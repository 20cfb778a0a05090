// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vdk::run {

struct HttpAnswer {
  long status = 0;    ///< 0 = no answer
  std::string error;  ///< why there is none
};

/// POST with a connection that is kept for the next batch. Throws Error(platform) when libcurl is not installed,
/// Error(configuration) for an address that is none.
[[nodiscard]] HttpAnswer http_post(const std::string& url, const std::string& body, const std::string& content_type);

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The operations page: static files that live inside the binary.
namespace vdk::control {

struct PageFile {
  std::string_view content;
  std::string_view content_type;
  std::string etag;  ///< with its quotes, ready for the header
};

/// The file of the operations page that a path names: "/", "/style.css", "/app.js", "/favicon.svg" and the modules that
/// app.js imports (so ask about every GET path that is none of the API's).
[[nodiscard]] std::optional<PageFile> page_file(std::string_view path);

/// Value of the Content-Security-Policy header that goes with every file of the page.
[[nodiscard]] std::string_view page_content_security_policy() noexcept;

}  // namespace vdk::control

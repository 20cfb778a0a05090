// SPDX-License-Identifier: Apache-2.0
#include "control/server/page.hpp"

#include <algorithm>
#include <array>

#include "vdk_page_files.hpp"

namespace vdk::control {

namespace {

struct Route {
  std::string_view path;
  std::string_view content_type;
  const embedded_page::File* file;
};

constexpr std::array kRoutes = {
    Route{"/", "text/html; charset=utf-8", &embedded_page::index_html},
    Route{"/style.css", "text/css; charset=utf-8", &embedded_page::style_css},
    Route{"/app.js", "text/javascript; charset=utf-8", &embedded_page::app_js},
    Route{"/favicon.svg", "image/svg+xml", &embedded_page::favicon_svg},
};

}  // namespace

std::optional<PageFile> page_file(std::string_view path) {
  const auto* route = std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& r) { return r.path == path; });
  if (route == kRoutes.end()) {
    return std::nullopt;
  }
  return PageFile{route->file->content, route->content_type, '"' + std::string(route->file->hash) + '"'};
}

std::string_view page_content_security_policy() noexcept {
  return "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
}

}  // namespace vdk::control

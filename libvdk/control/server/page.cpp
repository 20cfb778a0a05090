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

constexpr std::string_view kScript = "text/javascript; charset=utf-8";

constexpr std::array kRoutes = {
    Route{"/", "text/html; charset=utf-8", &embedded_page::index_html},
    Route{"/style.css", "text/css; charset=utf-8", &embedded_page::style_css},
    Route{"/favicon.svg", "image/svg+xml", &embedded_page::favicon_svg},
    Route{"/app.js", kScript, &embedded_page::app_js},
    Route{"/api.js", kScript, &embedded_page::api_js},
    Route{"/dom.js", kScript, &embedded_page::dom_js},
    Route{"/format.js", kScript, &embedded_page::format_js},
    Route{"/jobs.js", kScript, &embedded_page::jobs_js},
    Route{"/job.js", kScript, &embedded_page::job_js},
    Route{"/execution.js", kScript, &embedded_page::execution_js},
    Route{"/executions.js", kScript, &embedded_page::executions_js},
    Route{"/login.js", kScript, &embedded_page::login_js},
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

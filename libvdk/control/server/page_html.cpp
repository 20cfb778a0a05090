// SPDX-License-Identifier: Apache-2.0
#include "control/server/page_html.hpp"

#include "control/server/page.hpp"

namespace vdk::control::rest {
namespace {

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

ApiAnswer html_answer(const PlainPage& page) {
  const std::string root = escape(page.root);
  std::string body =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
      escape(page.title) + " · vdk</title>\n<link rel=\"icon\" href=\"" + root +
      "favicon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"" + root +
      "style.css\">\n</head>\n<body>\n<main id=\"main\"><h1>" + escape(page.title) +
      "</h1>\n<section class=\"panel\"><p>" + escape(page.text) + "</p>\n";
  if (!page.hint.empty()) {
    body += "<p class=\"muted\">" + escape(page.hint) + "</p>\n";
  }
  if (!page.link.empty()) {
    body += "<p><a class=\"action\" href=\"" + escape(page.link) + "\">" + escape(page.link_text) + "</a></p>\n";
  }
  ApiAnswer answer{page.status, "text/html; charset=utf-8", body + "</section></main>\n</body>\n</html>\n", {}};
  add_page_headers(answer);
  return answer;
}

void add_page_headers(ApiAnswer& answer) {
  answer.headers.emplace_back("Content-Security-Policy", page_content_security_policy());
  answer.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  answer.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace vdk::control::rest

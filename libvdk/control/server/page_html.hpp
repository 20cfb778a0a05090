// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "control/server/api.hpp"

namespace vdk::control::rest {

/// A page without any script, in the look of the operations page; the texts are escaped. `root` leads to the page's
/// folder: "./" or "../".
struct PlainPage {
  int status = 400;
  std::string title;
  std::string text;
  std::string hint = {};
  std::string link = {};  ///< an address; empty = none
  std::string link_text = {};
  std::string root = "./";
};
[[nodiscard]] ApiAnswer html_answer(const PlainPage& page);

/// The headers that go with everything the operations page consists of.
void add_page_headers(ApiAnswer& answer);

}  // namespace vdk::control::rest

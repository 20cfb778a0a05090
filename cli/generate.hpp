// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace vdk::cli {

/// File name -> content, all made from the command table.
[[nodiscard]] std::map<std::string, std::string> generate_man_pages();
[[nodiscard]] std::map<std::string, std::string> generate_completions();
[[nodiscard]] std::string generate_reference();
/// The table of the server's configuration, between the two comments that mark its place in docs/server.md.
[[nodiscard]] std::string generate_server_keys();

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace vdk::control::rest {

/// A listening socket and its port. Error(conflict) when the address is taken, Error(configuration) when it is none.
[[nodiscard]] std::pair<int, int> open_listener(const std::string& host, int port);
void set_no_delay(int fd);
/// Address of the other side as text, without the port; empty when there is none.
[[nodiscard]] std::string peer_of(int fd);
/// Raise the process's soft limit of open files when it is lower, as far as the hard limit allows.
void allow_open_files(std::size_t count);

}  // namespace vdk::control::rest

// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/counters.hpp"

namespace vdk::control {

Counters& counters() noexcept {
  static Counters all;
  return all;
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
// Any text: a schedule whose next time lies after the given one, or a located error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto cron = vdk::Cron::parse({reinterpret_cast<const char*>(data), size});
    const auto start = vdk::from_unix_micros(1'709'164'800'000'000);  // 2024-02-29
    const auto next = cron.next(start);
    if (next && (*next <= start || cron.last_between(start, *next) != next)) {
      std::abort();
    }
  } catch (const vdk::Error& error) {
    if (!error.location()) {
      std::abort();
    }
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vdk {

/// A named place where tests may end the process as `kill -9` would: when the environment variable
/// VDK_FAILPOINT equals `name`, the process kills itself here. Costs one getenv at first use otherwise.
void failpoint(const char* name) noexcept;

}  // namespace vdk

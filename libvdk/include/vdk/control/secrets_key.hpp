// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vdk::control {

/// This process alone keeps the key of VDK_SECRETS_KEY from now on: its children, a job's code, do not find it in their
/// environment. Nothing happens where the key comes from the file. Before threads start.
void take_secrets_key();

}  // namespace vdk::control

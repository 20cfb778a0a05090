// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "vdk/control/embedded.hpp"

namespace vdk::control {

/// The repository of the sources on this machine: in the home, on its shared path, or the mirror of a remote one.
[[nodiscard]] std::filesystem::path repository_path(const EmbeddedOptions& options);

/// Load what `backup` wrote into a service that has nothing yet; the other kind of database is fine. Sources come back
/// where the service keeps its own; a remote repository has them already. What ran when the backup was made is over,
/// and no time that was due then is started now. Error(conflict) when the service has jobs, sources or another key for
/// its secrets, Error(not_found) when the folder is no backup. Everything is loaded, or nothing.
void load_backup(const EmbeddedOptions& options, const std::filesystem::path& directory);

}  // namespace vdk::control

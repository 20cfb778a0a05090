// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vdk/control/service.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/target/target.hpp"

namespace vdk::control {

/// One entry of the administrator's dictionary of Python versions (VEP-1739).
struct PythonVersion {
  std::string version;  ///< "3.11", text
  std::string interpreter;
  std::string base_image;
  std::string vdk_image;
};

struct EmbeddedOptions {
  std::filesystem::path home;
  std::vector<PythonVersion> supported_python_versions;  ///< in the order in which `info` lists them
  std::string default_python_version;                    ///< empty = the first
  Caller caller;
};

/// The supported versions: setting `supported_python_versions` (JSON or YAML file path, or inline JSON object
/// {"3.11": {"interpreter": ..., "baseImage": ..., "vdkImage": ...}}) when given, else what `discover` finds. Throws
/// Error(configuration) when the default is not among them.
struct PythonVersions {
  std::vector<PythonVersion> versions;
  std::string default_version;
};
[[nodiscard]] PythonVersions load_python_versions(const std::string& setting, const std::string& default_setting,
                                                  const std::function<std::vector<PythonVersion>()>& discover);

/// The service in this process: SQLite store, git sources, roll-out through `target`. Creates `home` (0700) when
/// missing. Several processes may use one home at once.
[[nodiscard]] std::unique_ptr<Service> open_embedded(EmbeddedOptions options, std::unique_ptr<target::Target> target,
                                                     std::shared_ptr<const Clock> clock);

/// The loops of `vdk server`: synchronizer, scheduler, execution monitor, cleanup. Returns when `stop` turns true.
/// Error(conflict) when another server runs on this home.
void serve_embedded(EmbeddedOptions options, std::unique_ptr<target::Target> target, std::shared_ptr<const Clock> clock,
                    const std::atomic<bool>& stop);
/// True while a server runs on this home.
[[nodiscard]] bool server_is_running(const std::filesystem::path& home);

}  // namespace vdk::control

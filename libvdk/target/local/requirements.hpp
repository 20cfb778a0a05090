// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace vdk::target::local {

/// What the requirements.txt of a job asks for, reduced to what decides the environment.
struct Requirements {
  bool none = true;       ///< no file, or only comments and blank lines
  std::string canonical;  ///< equal text = equal environment
};

/// Reads requirements.txt and the files that it includes with -r and -c. Requirements that point into the job's folder
/// make the folder's content part of the answer.
[[nodiscard]] Requirements read_requirements(const std::filesystem::path& job_directory);

}  // namespace vdk::target::local

// SPDX-License-Identifier: Apache-2.0
#include "target/local/execution_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::target::local {

std::optional<ExecutionSpec> ExecutionFolder::read_spec() const {
  const auto content = files::read_if_exists(spec());
  return content ? parse_execution(*content) : std::nullopt;
}

std::optional<ResultDocument> ExecutionFolder::read_result() const {
  const auto content = files::read_if_exists(result());
  return content ? parse_result(*content) : std::nullopt;
}

bool ExecutionFolder::claim() const {
  const int fd = ::open(started().c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) {
      return false;
    }
    throw system_error("cannot create '" + started().string() + "'", errno);
  }
  ::fsync(fd);
  ::close(fd);
  files::sync_directory(m_directory);
  return true;
}

std::optional<TimePoint> ExecutionFolder::claimed_at() const {
  struct stat status {};
  if (::stat(started().c_str(), &status) != 0) {
    return std::nullopt;
  }
  return from_unix_micros(status.st_mtim.tv_sec * 1'000'000LL + status.st_mtim.tv_nsec / 1000);
}

void check_folder_name(const std::string& name, const char* kind) {
  if (name.empty() || name.front() == '.' || name.size() > 200 || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    throw Error(ErrorKind::usage, {"cannot use '" + name + "' as " + kind, "it cannot be the name of a folder",
                                   "nothing was changed", "use letters, digits and '-'"});
  }
}

}  // namespace vdk::target::local

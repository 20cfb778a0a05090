// SPDX-License-Identifier: Apache-2.0
#include "control/server/audit.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "vdk/core/clock.hpp"
#include "vdk/core/log.hpp"

namespace vdk::control::rest {

Audit::Audit(std::filesystem::path file) : m_file(std::move(file)) {
  if (m_file.empty()) {
    return;
  }
  const int fd = open();
  if (fd < 0) {
    const Error reason = system_error("cannot write '" + m_file.string() + "'", errno);
    throw Error(ErrorKind::configuration, {"cannot start the server", reason.what(), "The server does not start.",
                                           "Correct security.auditLog, or make its folder."});
  }
  ::close(fd);
}

/// Opened for each line: a rotated file needs no signal.
int Audit::open() const { return ::open(m_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600); }

void Audit::note(const ApiRequest& request, const std::string& address, int status) {
  const bool reads = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
  if (m_file.empty() || (reads && !request.noted)) {
    return;
  }
  const nlohmann::ordered_json json{{"time", format_time(SystemClock().now())},
                                    {"user", request.user},
                                    {"address", address},
                                    {"method", request.method},
                                    {"path", request.path},
                                    {"status", status},
                                    {"op_id", request.op_id}};
  const std::string line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(m_mutex);
  const int fd = open();
  if (fd < 0 || ::write(fd, line.data(), line.size()) != static_cast<long>(line.size())) {
    log::error("the audit log " + m_file.string() + " cannot be written: " + line);
  }
  if (fd >= 0) {
    ::close(fd);
  }
}

}  // namespace vdk::control::rest

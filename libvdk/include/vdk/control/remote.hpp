// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "vdk/control/service.hpp"
#include "vdk/core/http.hpp"

namespace vdk::control {

struct RemoteOptions {
  std::string url;  ///< base address, with or without a trailing slash or /data-jobs
  http::ClientOptions http;
  std::string op_id;                    ///< X-OPID of every request
  std::function<std::string()> bearer;  ///< access token for the next request; empty = none. May be null
  /// Told the token that the service did not take (401); another one to try once, empty = none. May be null.
  std::function<std::string(const std::string& refused)> renew_bearer;
  /// How long `deploy` watches for the roll-out before it returns with status NONE.
  std::chrono::seconds rollout_timeout{1800};
};

/// A control service over its REST API (ours or the original one). Answers of the service become vdk::Error with the
/// service's own four texts; 401/403 -> login, 404 -> not_found, 409 -> conflict, 400 -> usage, 413 -> too_large,
/// 501 -> unsupported, other 5xx -> platform, no answer -> unreachable.
[[nodiscard]] std::unique_ptr<Service> open_remote(RemoteOptions options);

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/remote.hpp"

#include "vdk/core/error.hpp"

namespace vdk::control {

std::unique_ptr<Service> open_remote(RemoteOptions options) {
  throw Error(ErrorKind::configuration,
              {"cannot use the control service at " + options.url, "this version of vdk has no REST client yet",
               "nothing was done",
               "unset VDK_CONTROL_SERVICE_REST_API_URL and run `vdk reset-default -u` to use the service on this "
               "machine"});
}

}  // namespace vdk::control

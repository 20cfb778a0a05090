// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/server.hpp"

#include "vdk/core/error.hpp"

namespace vdk::control {

std::unique_ptr<RestServer> make_rest_server(RestOptions /*options*/, OpenService /*open*/,
                                             Authenticate /*authenticate*/) {
  throw Error(ErrorKind::internal, {"cannot serve", "not built yet", "", ""});
}

}  // namespace vdk::control

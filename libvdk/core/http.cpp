// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/http.hpp"

#include "vdk/core/error.hpp"

namespace vdk::http {

std::unique_ptr<Client> make_client(ClientOptions /*options*/) {
  throw Error(ErrorKind::internal, {"cannot send a request", "not built yet", "", ""});
}

}  // namespace vdk::http

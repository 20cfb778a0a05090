// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"

namespace vdk::http {

MailOutcome send_mail(const MailServer& /*server*/, const Mail& /*mail*/) {
  throw Error(ErrorKind::internal, {"cannot send a mail", "not built yet", "", ""});
}

}  // namespace vdk::http

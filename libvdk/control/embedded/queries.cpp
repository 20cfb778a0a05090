// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/queries.hpp"

#include "vdk/core/error.hpp"

namespace vdk::control {

JobPage find_jobs(Store& /*store*/, const Sources& /*sources*/, const JobQuery& /*query*/) {
  throw Error(ErrorKind::internal, {"cannot query jobs", "not built yet", "", ""});
}

ExecutionPage find_executions(Store& /*store*/, const ExecutionQuery& /*query*/) {
  throw Error(ErrorKind::internal, {"cannot query executions", "not built yet", "", ""});
}

}  // namespace vdk::control

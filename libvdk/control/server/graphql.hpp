// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vdk/control/service.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control {

/// What the jobs query answers over HTTP: 200 {"data": ...} or 400 {"errors": [...], "data": ...}.
struct GraphqlAnswer {
  int status = 200;
  std::string body;
};

/// Answers `GET /data-jobs/for-team/{team}/jobs`. The team of the path does not restrict the answer (contract 4.5).
/// An empty `query` stands for the default one; `variables_json` is empty or a JSON object. Errors of the query are in
/// the answer; what the service itself fails with is thrown. The clock decides about next runs.
[[nodiscard]] GraphqlAnswer answer_graphql(Service& service, const std::string& team, const std::string& query,
                                           const std::string& operation_name, const std::string& variables_json,
                                           const Clock& clock = SystemClock());

}  // namespace vdk::control

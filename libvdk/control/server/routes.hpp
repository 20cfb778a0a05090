// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/server/metrics.hpp"
#include "control/server/router.hpp"
#include "vdk/control/server.hpp"

/// The routes of the REST API with the original's real answers (contract control 4.1).
namespace vdk::control::rest {

inline constexpr std::string_view k_team_path = "/data-jobs/for-team/{team_name}";

/// An answer without a body that ends a request: the original's 404 for a job that is not there or of another team.
struct EmptyAnswer {
  int status;
};

/// The job of the path, or EmptyAnswer{404}.
[[nodiscard]] DataJob job_or_404(Service& service, const ApiRequest& request);

/// Parts of the table; together all routes that need a Service.
[[nodiscard]] std::vector<Route> job_routes();
[[nodiscard]] std::vector<Route> deployment_routes();
[[nodiscard]] std::vector<Route> execution_routes();
[[nodiscard]] std::vector<Route> data_routes();  ///< sources, properties, secrets, keytab, credentials
/// Health, metrics, time, documents.
[[nodiscard]] std::vector<Route> system_routes(const Metrics& metrics, const std::string& api_version);

/// What plugins there are and their files; a login is needed where the service needs one, a team is not.
[[nodiscard]] std::vector<Route> plugin_routes(const std::shared_ptr<PluginCatalogue>& plugins);

/// True for the paths that must answer even when all workers are busy.
[[nodiscard]] bool is_express(std::string_view request_line);

}  // namespace vdk::control::rest

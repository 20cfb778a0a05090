// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "control/embedded/sources.hpp"
#include "control/embedded/store.hpp"
#include "vdk/control/embedded.hpp"

namespace vdk::control {

/// What the parts of the embedded service share; one per thread.
struct Context {
  const EmbeddedOptions& options;
  target::Target& target;
  const Clock& clock;
  Store& store;
  Sources& sources;
};

/// The job, when it exists and belongs to the team; else Error(not_found).
[[nodiscard]] DataJob require_job(Store& store, const std::string& team, const std::string& job);
[[nodiscard]] Error job_not_deployed(const std::string& job);

/// Error(conflict) that lists the supported ones.
void check_python_version(const EmbeddedOptions& options, const std::string& version);
/// Error(configuration) that points at the field; an empty schedule is fine.
void check_schedule(const std::string& schedule_cron);
/// Error(usage) for limits that cannot be.
void check_resources(const Resources& resources);
/// Error(usage) when a new job's name, team or configuration cannot be.
void check_job(const DataJob& job);

/// False for a version that the administrator does not (or no longer) offer.
[[nodiscard]] bool supports_python(const EmbeddedOptions& options, const std::string& version);
/// What a deployment gets: what it asks for, else the service's default.
[[nodiscard]] Resources with_defaults(const EmbeddedOptions& options, const Resources& asked);
/// Address of an execution's log by the administrator's template; empty without one.
[[nodiscard]] std::string logs_url(const EmbeddedOptions& options, const Execution& execution, const std::string& team);

/// What the target is told; its version_hash covers all of it and the contacts.
[[nodiscard]] target::DeploymentSpec make_spec(const EmbeddedOptions& options, const std::string& team,
                                               const Deployment& deployment);
/// The desired deployment that a request makes of what is there.
[[nodiscard]] Deployment merge(const EmbeddedOptions& options, const DataJob& job, const DeploymentRequest& request,
                               const std::optional<Desired>& desired, const std::optional<Deployment>& actual);

}  // namespace vdk::control

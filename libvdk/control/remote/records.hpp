// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "vdk/control/model.hpp"

/// The nouns of the REST API as JSON (contract control 4.2). Readers take what is there: the original leaves out or
/// nulls much of it.
namespace vdk::control::remote {

using Json = nlohmann::ordered_json;

/// Text of a key; empty when it is missing, null or no text.
[[nodiscard]] std::string text_of(const Json& object, const char* key);
[[nodiscard]] const Json& member(const Json& object, const char* key);  ///< null when it is missing
[[nodiscard]] bool flag_of(const Json& object, const char* key, bool fallback);

/// An ISO 8601 time with or without fraction and zone (none = UTC); nothing when it is not a time.
[[nodiscard]] std::optional<TimePoint> read_time(std::string_view text);

[[nodiscard]] Json job_to_json(const DataJob& job);
[[nodiscard]] DataJob read_job(const Json& json);
/// Only the fields that the request has.
[[nodiscard]] Json request_to_json(const DeploymentRequest& request);
[[nodiscard]] Deployment read_deployment(const Json& json, const std::string& job);
[[nodiscard]] Execution read_execution(const Json& json, const std::string& job);
/// The original answers in no order. What has not started yet is the newest.
void newest_first(std::vector<Execution>& executions);

}  // namespace vdk::control::remote

// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql_schema.hpp"

#include <algorithm>

namespace vdk::control::graphql {
namespace {

constexpr TypeRef k_string{"String"};
constexpr TypeRef k_strings{"String", true};
constexpr TypeRef k_int{"Int"};
constexpr TypeRef k_float{"Float"};
constexpr TypeRef k_boolean{"Boolean"};
constexpr TypeRef k_date_time{"DateTime"};
constexpr TypeRef k_status{"DataJobExecutionStatus"};

constexpr std::string_view k_directions[] = {"ASC", "DESC"};
constexpr std::string_view k_deployment_statuses[] = {"NONE", "SUCCESS", "PLATFORM_ERROR", "USER_ERROR"};
constexpr std::string_view k_execution_statuses[] = {"SUBMITTED", "RUNNING",    "SUCCEEDED",     "CANCELLED",
                                                     "SKIPPED",   "USER_ERROR", "PLATFORM_ERROR"};
constexpr std::string_view k_execution_types[] = {"MANUAL", "SCHEDULED"};

constexpr InputDef k_predicate[] = {{"property", k_string}, {"pattern", k_string}, {"sort", {"Direction"}}};
constexpr InputDef k_execution_filter[] = {{"startTimeGte", k_date_time},
                                           {"startTimeLte", k_date_time},
                                           {"endTimeGte", k_date_time},
                                           {"endTimeLte", k_date_time},
                                           {"statusIn", {"DataJobExecutionStatus", true}},
                                           {"jobNameIn", k_strings},
                                           {"teamNameIn", k_strings}};
constexpr InputDef k_execution_order[] = {{"property", k_string}, {"direction", {"Direction"}}};

constexpr InputDef k_jobs_arguments[] = {
    {"pageNumber", k_int, "0"}, {"pageSize", k_int, "20"}, {"filter", {"Predicate", true}}, {"search", k_string}};
constexpr InputDef k_executions_arguments[] = {{"pageNumber", k_int},
                                               {"pageSize", k_int},
                                               {"filter", {"DataJobExecutionFilter"}},
                                               {"order", {"DataJobExecutionOrder"}}};

constexpr FieldDef k_query[] = {{"jobs", {"DataJobPage"}, k_jobs_arguments},
                                {"executions", {"DataJobExecutionResponse"}, k_executions_arguments}};
constexpr FieldDef k_job_page[] = {{"content", {"DataJob", true}}, {"totalPages", k_int}, {"totalItems", k_int}};
constexpr FieldDef k_execution_page[] = {
    {"content", {"DataJobExecution", true}}, {"totalPages", k_int}, {"totalItems", k_int}};
constexpr FieldDef k_job[] = {
    {"jobName", k_string}, {"config", {"DataJobConfig"}}, {"deployments", {"DataJobDeployment", true}}};
// dbDefaultType, enableExecutionNotifications and notificationDelayPeriodMinutes are ours.
constexpr FieldDef k_config[] = {{"team", k_string},
                                 {"description", k_string},
                                 {"schedule", {"DataJobSchedule"}},
                                 {"contacts", {"DataJobContacts"}},
                                 {"generateKeytab", k_boolean},
                                 {"sourceUrl", k_string},
                                 {"logsUrl", k_string},
                                 {"dbDefaultType", k_string},
                                 {"enableExecutionNotifications", k_boolean},
                                 {"notificationDelayPeriodMinutes", k_int}};
constexpr FieldDef k_schedule[] = {{"scheduleCron", k_string}, {"nextRunEpochSeconds", k_int}};
constexpr FieldDef k_contacts[] = {{"notifiedOnJobFailureUserError", k_strings},
                                   {"notifiedOnJobFailurePlatformError", k_strings},
                                   {"notifiedOnJobSuccess", k_strings},
                                   {"notifiedOnJobDeploy", k_strings}};
// The spelling of the three without a value is the original's.
constexpr FieldDef k_resources[] = {{"cpuLimit", k_float},           {"cpuRequest", k_float},
                                    {"memoryLimit", k_int},          {"memoryRequest", k_int},
                                    {"empheralStorageLimit", k_int}, {"empheralSorageRequest", k_int},
                                    {"netBandwitdthLimit", k_int}};
// rolloutStatus and statusMessage are ours; deployedBy and deployedDate are what executions call lastDeployedBy and
// lastDeployedDate.
constexpr FieldDef k_deployment[] = {{"id", k_string},
                                     {"enabled", k_boolean},
                                     {"contacts", {"DataJobContacts"}},
                                     {"jobVersion", k_string},
                                     {"jobPythonVersion", k_string},
                                     {"lastDeployedDate", k_string},
                                     {"lastDeployedBy", k_string},
                                     {"deployedDate", k_string},
                                     {"deployedBy", k_string},
                                     {"mode", k_string},
                                     {"resources", {"DataJobResources"}},
                                     {"schedule", {"DataJobSchedule"}},
                                     {"vdkVersion", k_string},
                                     {"executions", {"DataJobExecution", true}, k_executions_arguments},
                                     {"status", {"DataJobDeploymentStatus"}},
                                     {"rolloutStatus", {"DataJobDeploymentStatus"}},
                                     {"statusMessage", k_string},
                                     {"lastExecutionStatus", k_status},
                                     {"lastExecutionTime", k_string},
                                     {"lastExecutionDuration", k_int},
                                     {"successfulExecutions", k_int},
                                     {"failedExecutions", k_int}};
// teamName and jobPythonVersion are ours; vkdVersion is the original's spelling.
constexpr FieldDef k_execution[] = {{"id", k_string},
                                    {"type", {"DataJobExecutionType"}},
                                    {"jobName", k_string},
                                    {"teamName", k_string},
                                    {"status", k_status},
                                    {"startTime", k_string},
                                    {"endTime", k_string},
                                    {"startedBy", k_string},
                                    {"message", k_string},
                                    {"opId", k_string},
                                    {"vdkVersion", k_string},
                                    {"vkdVersion", k_string},
                                    {"jobVersion", k_string},
                                    {"jobPythonVersion", k_string},
                                    {"jobSchedule", k_string},
                                    {"resourcesCpuRequest", k_float},
                                    {"resourcesCpuLimit", k_float},
                                    {"resourcesMemoryRequest", k_int},
                                    {"resourcesMemoryLimit", k_int},
                                    {"lastDeployedDate", k_string},
                                    {"lastDeployedBy", k_string},
                                    {"deployedDate", k_string},
                                    {"deployedBy", k_string},
                                    {"logsUrl", k_string},
                                    {"deployment", {"DataJobDeployment"}}};

using Kind = TypeDef::Kind;
constexpr TypeDef k_types[] = {{"Query", Kind::object, k_query},
                               {"DataJobPage", Kind::object, k_job_page},
                               {"DataJobExecutionResponse", Kind::object, k_execution_page},
                               {"DataJob", Kind::object, k_job},
                               {"DataJobConfig", Kind::object, k_config},
                               {"DataJobSchedule", Kind::object, k_schedule},
                               {"DataJobContacts", Kind::object, k_contacts},
                               {"DataJobResources", Kind::object, k_resources},
                               {"DataJobDeployment", Kind::object, k_deployment},
                               {"DataJobExecution", Kind::object, k_execution},
                               {"Predicate", Kind::input, {}, k_predicate},
                               {"DataJobExecutionFilter", Kind::input, {}, k_execution_filter},
                               {"DataJobExecutionOrder", Kind::input, {}, k_execution_order},
                               {"Direction", Kind::enumeration, {}, {}, k_directions},
                               {"DataJobDeploymentStatus", Kind::enumeration, {}, {}, k_deployment_statuses},
                               {"DataJobExecutionStatus", Kind::enumeration, {}, {}, k_execution_statuses},
                               {"DataJobExecutionType", Kind::enumeration, {}, {}, k_execution_types},
                               {"String", Kind::scalar},
                               {"Int", Kind::scalar},
                               {"Float", Kind::scalar},
                               {"Boolean", Kind::scalar},
                               {"DateTime", Kind::scalar}};

}  // namespace

const FieldDef* TypeDef::field(std::string_view field_name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const FieldDef& field) { return field.name == field_name; });
  return found == fields.end() ? nullptr : &*found;
}

std::span<const TypeDef> all_types() { return k_types; }

const TypeDef* find_type(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(k_types), std::end(k_types), [&](const TypeDef& type) { return type.name == name; });
  return found == std::end(k_types) ? nullptr : found;
}

const TypeDef& query_type() { return k_types[0]; }

const InputDef* find_input(std::span<const InputDef> inputs, std::string_view name) {
  const auto found =
      std::find_if(inputs.begin(), inputs.end(), [&](const InputDef& input) { return input.name == name; });
  return found == inputs.end() ? nullptr : &*found;
}

}  // namespace vdk::control::graphql

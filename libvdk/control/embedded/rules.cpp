// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "control/embedded/store_session.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

std::optional<PythonVersion> find_version(const EmbeddedOptions& options, const std::string& version) {
  const auto catalog = options.python->get();
  const auto& versions = catalog->versions;
  const auto found =
      std::find_if(versions.begin(), versions.end(), [&](const auto& item) { return item.version == version; });
  return found == versions.end() ? std::nullopt : std::optional(*found);
}

std::string default_version(const EmbeddedOptions& options) {
  const auto catalog = options.python->get();
  if (catalog->default_version.empty() && !catalog->versions.empty()) {
    return catalog->versions.front().version;
  }
  return catalog->default_version;
}

/// Length before content: no two different lists of fields give the same text.
void add(std::string& canonical, std::string_view field) {
  canonical += std::to_string(field.size()) + ":";
  canonical += field;
}

void add(std::string& canonical, const std::optional<double>& field) {
  std::array<char, 64> buffer{};
  std::string text;
  if (field) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *field).ptr;
    text.assign(buffer.data(), end);
  }
  add(canonical, text);
}

[[noreturn]] void refuse_resources(const std::string& why) {
  throw Error(ErrorKind::usage, {"cannot set the resources of the job", why, "Nothing was deployed.",
                                 "Give memory in MiB and CPU in cores, each limit at least as large as its request."});
}

template <typename T>
bool is_positive(const std::optional<T>& value) {
  if constexpr (std::is_floating_point_v<T>) {
    return !value || (std::isfinite(*value) && *value > 0);
  } else {
    return !value || *value > 0;
  }
}

template <typename T>
void check_pair(const char* name, const std::optional<T>& request, const std::optional<T>& limit) {
  if (!is_positive(request) || !is_positive(limit)) {
    refuse_resources(std::string(name) + " must be greater than zero");
  }
  if (request && limit && *request > *limit) {
    refuse_resources(std::string(name) + ": the request is greater than the limit");
  }
}

/// What a deployment asks for comes first; a default never contradicts it.
template <typename T>
void fill_pair(std::optional<T>& request, std::optional<T>& limit, const std::optional<T>& default_request,
               const std::optional<T>& default_limit) {
  if (!limit && default_limit) {
    limit = request ? std::max(*request, *default_limit) : *default_limit;
  }
  if (!request && default_request) {
    request = limit ? std::min(*limit, *default_request) : *default_request;
  }
}

std::string log_time(const EmbeddedOptions& options, const std::optional<TimePoint>& time,
                     std::chrono::seconds offset) {
  if (!time) {
    return {};
  }
  const TimePoint shifted = *time + offset;
  return options.logs_url_iso_times ? http::encode(format_time(shifted))
                                    : std::to_string(to_unix_micros(shifted) / 1000);
}

}  // namespace

bool supports_python(const EmbeddedOptions& options, const std::string& version) {
  return find_version(options, version).has_value();
}

Resources with_defaults(const EmbeddedOptions& options, const Resources& asked) {
  Resources result = asked;
  const Resources& defaults = options.default_resources;
  fill_pair(result.cpu_request, result.cpu_limit, defaults.cpu_request, defaults.cpu_limit);
  fill_pair(result.memory_request, result.memory_limit, defaults.memory_request, defaults.memory_limit);
  return result;
}

std::string logs_url(const EmbeddedOptions& options, const Execution& execution, const std::string& team) {
  const std::string& pattern = options.logs_url;
  const std::array<std::pair<std::string_view, std::string>, 6> values{
      {{"{execution_id}", http::encode(execution.id)},
       {"{job_name}", http::encode(execution.job_name)},
       {"{team_name}", http::encode(team)},
       {"{op_id}", http::encode(execution.op_id)},
       {"{start_time}", log_time(options, execution.start_time, options.logs_url_start_offset)},
       {"{end_time}", log_time(options, execution.end_time, options.logs_url_end_offset)}}};
  std::string result;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto found = std::find_if(values.begin(), values.end(), [&](const auto& item) {
      return pattern.compare(at, item.first.size(), item.first) == 0;
    });
    if (found == values.end()) {
      result += pattern[at++];
    } else {
      result += found->second;
      at += found->first.size();
    }
  }
  return result;
}

DataJob require_job(Store& store, const std::string& team, const std::string& job) {
  auto found = store.find_job(job);
  if (!found || found->team != team) {
    throw Error(ErrorKind::not_found,
                {"The Data Job '" + job + "' does not exist", "team '" + team + "' has no data job of this name",
                 "Nothing was done.", "Check the name and the team with `vdk list --all`."});
  }
  return std::move(*found);
}

Error job_not_deployed(const std::string& job) {
  return Error(ErrorKind::not_found,
               {"The Data Job '" + job + "' is not deployed", "it has no deployment that can run", "Nothing was done.",
                "Deploy it first with `vdk deploy -n " + job + " -p FOLDER`."});
}

void check_python_version(const EmbeddedOptions& options, const std::string& version) {
  if (find_version(options, version)) {
    return;
  }
  std::vector<std::string> names;
  const auto catalog = options.python->get();
  for (const PythonVersion& item : catalog->versions) {
    names.push_back(item.version);
  }
  throw Error(ErrorKind::conflict,
              {"Not supported python version: '" + version + "'", "the control service does not offer this version",
               "Nothing was deployed; a deployment that exists stays as it is.",
               names.empty() ? "Install a Python that the service can find, or name one in supported_python_versions."
                             : "Use one of the supported versions: " + text::quoted_list(names) + "."});
}

void check_schedule(const std::string& schedule_cron) {
  if (!text::trim(schedule_cron).empty()) {
    (void)Cron::parse(schedule_cron);
  }
}

void check_resources(const Resources& resources) {
  check_pair("cpu", resources.cpu_request, resources.cpu_limit);
  check_pair("memory", resources.memory_request, resources.memory_limit);
}

void check_job(const DataJob& job) {
  job::validate_name(job.job_name);
  if (text::trim(job.team).empty()) {
    throw Error(ErrorKind::usage, {"cannot register the job '" + job.job_name + "'", "it has no team",
                                   "Nothing was stored.", "Give the team with `-t`, or in config.ini under [owner]."});
  }
  const bool control_character =
      std::any_of(job.team.begin(), job.team.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U; });
  if (control_character || !text::is_valid_utf8(job.team)) {
    throw Error(ErrorKind::usage,
                {"cannot register the job '" + job.job_name + "'", "its team is not one line of UTF-8 text",
                 "Nothing was stored.", "Give another team with `-t`, or in config.ini under [owner]."});
  }
  check_schedule(job.schedule_cron);
}

target::DeploymentSpec make_spec(const EmbeddedOptions& options, const std::string& team,
                                 const Deployment& deployment) {
  target::DeploymentSpec spec;
  spec.job_name = deployment.job_name;
  spec.team = team;
  spec.job_version = deployment.job_version;
  spec.python_version = deployment.python_version;
  if (const auto python = find_version(options, deployment.python_version)) {
    spec.interpreter = python->interpreter;
    spec.base_image = python->base_image;
    spec.vdk_image = python->vdk_image;
  }
  spec.vdk_version = deployment.vdk_version;
  spec.schedule_cron = deployment.schedule_cron;
  spec.enabled = deployment.enabled;
  const Resources resources = with_defaults(options, deployment.resources);
  spec.cpu_limit = resources.cpu_limit;
  spec.memory_limit = resources.memory_limit;
  std::string canonical;
  for (const std::string& field : {spec.job_name, spec.team, spec.job_version, spec.python_version, spec.interpreter,
                                   spec.base_image, spec.vdk_image, spec.vdk_version, spec.schedule_cron,
                                   std::string(spec.enabled ? "1" : "0"), pack_contacts(deployment.contacts)}) {
    add(canonical, field);
  }
  add(canonical, spec.cpu_limit);
  add(canonical, resources.cpu_request);
  for (const auto& memory : {spec.memory_limit, resources.memory_request}) {
    add(canonical, memory ? std::to_string(*memory) : std::string());
  }
  spec.version_hash = sha256_hex(canonical);
  return spec;
}

Deployment merge(const EmbeddedOptions& options, const DataJob& job, const DeploymentRequest& request,
                 const std::optional<Desired>& desired, const std::optional<Deployment>& actual) {
  Deployment base;
  if (desired) {
    base = desired->deployment;
    // `deploy --disable` after a failed roll-out speaks of what runs, not of the version that could not be installed.
    const bool failed = base.status == DeploymentStatus::user_error || base.status == DeploymentStatus::platform_error;
    if (failed && actual && !request.job_version && !request.python_version && !request.vdk_version) {
      base = *actual;
      base.resources = desired->deployment.resources;  // as asked for; the actual ones have the defaults in them
    }
  }
  Deployment result;
  result.job_name = job.job_name;
  result.job_version = request.job_version.value_or(base.job_version);
  const bool still_supported = find_version(options, base.python_version).has_value();
  result.python_version =
      request.python_version.value_or(still_supported ? base.python_version : default_version(options));
  // The vdk version belongs to the image of a Python version; another Python starts from its default.
  const bool same_python = !desired || result.python_version == base.python_version;
  result.vdk_version = request.vdk_version.value_or(same_python ? base.vdk_version : std::string());
  result.enabled = request.enabled.value_or(desired ? base.enabled : true);
  result.resources = base.resources;
  if (request.resources) {
    const auto take = [](auto& into, const auto& from) {
      if (from) {
        into = from;
      }
    };
    take(result.resources.cpu_request, request.resources->cpu_request);
    take(result.resources.cpu_limit, request.resources->cpu_limit);
    take(result.resources.memory_request, request.resources->memory_request);
    take(result.resources.memory_limit, request.resources->memory_limit);
  }
  check_resources(result.resources);
  result.schedule_cron = std::string(text::trim(job.schedule_cron));
  result.contacts = job.contacts;
  result.version_hash = make_spec(options, job.team, result).version_hash;
  return result;
}

}  // namespace vdk::control

// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <fstream>

#include "vdk/core/hash.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

std::string_view to_string(StepStatus status) noexcept {
  switch (status) {
    case StepStatus::success:
      return "success";
    case StepStatus::error:
      return "error";
    case StepStatus::not_runnable:
      return "not_runnable";
    case StepStatus::skip_requested:
      return "skip_requested";
    case StepStatus::cancelled:
      return "cancelled";
  }
  return "error";
}

std::string_view to_string(Blamee blamee) noexcept {
  switch (blamee) {
    case Blamee::none:
      return "";
    case Blamee::user:
      return "User Error";
    case Blamee::platform:
      return "Platform error";
    case Blamee::configuration:
      return "Configuration error";
  }
  return "";
}

Ids make_ids(const config::Settings& settings, const Clock& clock) {
  Ids ids{settings.get("attempt_id"), settings.get("execution_id"), settings.get("op_id")};
  if (ids.attempt_id.empty()) {
    const std::string suffix = random_hex(3).substr(0, 5);
    ids.attempt_id = ids.execution_id.empty()
                         ? uuid4() + "-" + std::to_string(to_unix_micros(clock.now()) / 1'000'000) + "-" + suffix
                         : ids.execution_id + "-" + suffix;
  }
  if (ids.execution_id.empty()) {
    ids.execution_id = ids.attempt_id.substr(0, ids.attempt_id.rfind('-'));
  }
  if (ids.op_id.empty()) {
    ids.op_id = ids.execution_id;
  }
  return ids;
}

void write_termination_file(const config::Settings& settings, std::string_view status) {
  try {
    if (!settings.get_bool("termination_message_writer_enabled")) {
      return;
    }
    const std::string path = settings.get("termination_message_writer_output_file");
    if (path.empty()) {
      return;
    }
    // Written in place: in a container the file is a mount that cannot be replaced.
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << nlohmann::ordered_json{{"vdk_version", VDK_VERSION}, {"status", status}}.dump();
  } catch (const std::exception&) {
    // Nobody waits for this file outside of a container; the job's result must not depend on it.
    return;
  }
}

}  // namespace vdk::run

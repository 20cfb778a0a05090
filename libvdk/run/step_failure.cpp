// SPDX-License-Identifier: Apache-2.0
#include "run/step_failure.hpp"

#include <csignal>

#include "vdk/core/log.hpp"

namespace vdk::run {

namespace {

const char* exception_name_of(Blamee blamee) {
  if (blamee == Blamee::user) {
    return "UserCodeError";
  }
  return blamee == Blamee::configuration ? "VdkConfigurationError" : "PlatformServiceError";
}

}  // namespace

Blamee blamee_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::user_code:
    case ErrorKind::usage:
    case ErrorKind::operation:
      return Blamee::user;
    case ErrorKind::configuration:
      return Blamee::configuration;
    default:
      return Blamee::platform;
  }
}

Blamee blamee_named(std::string_view name) noexcept {
  if (name == "platform") {
    return Blamee::platform;
  }
  return name == "configuration" ? Blamee::configuration : Blamee::user;
}

std::string short_blamee(Blamee blamee) {
  if (blamee == Blamee::user) {
    return "user";
  }
  return blamee == Blamee::configuration ? "configuration" : "platform";
}

std::string failure_text(const Error& error) {
  std::string text = format_error(error);
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

std::string spoken(const Error& error) {
  const std::string text = failure_text(error);
  return text.starts_with("error: ") ? text.substr(sizeof "error: " - 1) : text;
}

void fail_with(StepResult& step, const Error& error) {
  step.status = StepStatus::error;
  step.blamee = blamee_of(error.kind());
  step.exception_name = exception_name_of(step.blamee);
  step.exception = error.what();
  step.details = failure_text(error);
  step.line = error.location() ? error.location()->line : 0;
}

void mark_cancelled(StepResult& step, int signal_number) {
  log::debug(step.name + ": " + (step.details.empty() ? step.exception : step.details));
  step.status = StepStatus::cancelled;
  step.blamee = Blamee::user;
  step.exception_name.clear();
  step.exception = std::string("it was running when the run was ") +
                   (signal_number == SIGINT ? "interrupted (Ctrl-C)" : "asked to end (SIGTERM)");
  step.details.clear();
}

void fail_run(RunResult& result, const Error& error) {
  result.success = false;
  result.blamee = blamee_of(error.kind());
  result.details = failure_text(error);
}

}  // namespace vdk::run

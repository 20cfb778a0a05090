// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vdk/run/observer.hpp"

namespace vdk::run {

void Observers::started(const RunStart& start) {
  for (Observer* observer : m_all) {
    observer->started(start);
  }
}

void Observers::planned(const Plan& plan) {
  for (Observer* observer : m_all) {
    observer->planned(plan);
  }
}

void Observers::secret(std::string_view value) {
  for (Observer* observer : m_all) {
    observer->secret(value);
  }
}

void Observers::step_started(const StepStart& start) {
  for (Observer* observer : m_all) {
    observer->step_started(start);
  }
}

void Observers::step_ended(const StepResult& result, int depth) {
  for (Observer* observer : m_all) {
    observer->step_ended(result, depth);
  }
}

void Observers::ingested(std::string_view method, std::string_view table, long long rows) {
  for (Observer* observer : m_all) {
    observer->ingested(method, table, rows);
  }
}

void Observers::progress(std::string_view text) {
  for (Observer* observer : m_all) {
    observer->progress(text);
  }
}

void Observers::log_line(std::string_view level, std::string_view text) {
  for (Observer* observer : m_all) {
    observer->log_line(level, text);
  }
}

bool Observers::wants_output() const {
  return std::any_of(m_all.begin(), m_all.end(), [](const Observer* observer) { return observer->wants_output(); });
}

void Observers::logged(const LogRecord& record) {
  for (Observer* observer : m_all) {
    observer->logged(record);
  }
}

void Observers::output(OutputStream stream, std::string_view bytes) {
  for (Observer* observer : m_all) {
    observer->output(stream, bytes);
  }
}

void Observers::ended(const RunResult& result) {
  for (Observer* observer : m_all) {
    observer->ended(result);
  }
}

}  // namespace vdk::run

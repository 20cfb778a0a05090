// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "run/report/event_sink.hpp"
#include "run/report/json_text.hpp"
#include "vdk/config/secrets.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/events.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::ordered_json;
/// Rows by method and table.
using Rows = std::map<std::pair<std::string, std::string>, long long>;

constexpr int k_version = 1;
constexpr std::size_t k_shortest_secret = 4;  // "1" or "yes" would star out half of every text
constexpr std::size_t k_shortest_secret_line = 8;
constexpr std::size_t k_longest_message = 64U << 10U;
constexpr std::size_t k_longest_text = 16U << 10U;                 // of a line that a step prints
constexpr std::size_t k_kept_text = k_longest_text + (4U << 10U);  // a secret must not be cut before it is found
constexpr std::chrono::milliseconds k_between_progress{100};

Json count_or_null(std::size_t count) { return count == 0 ? Json(nullptr) : Json(count); }

Json rows_json(const Rows& rows) {
  Json list = Json::array();
  for (const auto& [place, count] : rows) {
    list.push_back(Json{{"method", place.first}, {"table", text_or_null(place.second)}, {"rows", count}});
  }
  return list;
}

Json step_json(const job::Step& step) {
  return Json{{"step", step.name},
              {"type", job::to_string(step.kind)},
              {"file", text_or_null(step.file.string())},
              {"cell_id", text_or_null(step.cell ? step.cell->id : "")},
              {"cell_number", count_or_null(step.cell ? step.cell->number : 0)}};
}

void add(Rows& rows, const Rows& more) {
  for (const auto& [place, count] : more) {
    rows[place] += count;
  }
}

/// What a step has printed of a line so far.
struct PartialLine {
  std::string text;
  bool is_cut = false;
  bool is_empty = true;

  void append(std::string_view more) {
    is_empty = false;
    const std::size_t room = k_kept_text - std::min(text.size(), k_kept_text);
    is_cut = is_cut || more.size() > room;
    text.append(more.substr(0, room));
  }
};

}  // namespace

struct EventStream::State {
  State(const std::string& where, const Clock& the_clock, EventScope the_scope, std::chrono::milliseconds patience)
      : scope(the_scope), sink(where, patience), clock(the_clock) {}

  /// A line that is left out is a gap in the numbers.
  [[nodiscard]] bool has_room(std::string_view event) const {
    if (scope.most_bytes == 0 || bytes < scope.most_bytes || event == "result") {
      return true;
    }
    return event.starts_with("step_") && bytes < 4 * scope.most_bytes;
  }

  /// Observers must not throw.
  template <typename Make>
  void emit(const char* event, const Make& make) {
    const std::lock_guard lock(mutex);
    try {
      ++sequence;
      if (!has_room(event)) {
        return;
      }
      Json line{{"v", k_version}, {"seq", sequence}, {"time", format_time_millis(clock.now())}, {"event", event}};
      line.update(make());
      const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      bytes += text.size();
      sink.write(text);
    } catch (const std::exception& error) {
      log::warning(std::string("an event could not be written: ") + error.what());
    }
  }

  [[nodiscard]] std::string masked(std::string text) const {
    for (const std::string& secret : secrets) {
      text = text::replace_all(std::move(text), secret, "********");
    }
    text = config::mask_addresses(std::move(text));
    if (text.size() > k_longest_message) {
      text.resize(k_longest_message);
      text += " ...";
    }
    return text;
  }
  [[nodiscard]] Json masked_or_null(const std::string& text) const { return text_or_null(masked(text)); }

  void hide(std::string_view value, std::size_t shortest) {
    const std::lock_guard lock(mutex);
    if (value.size() >= shortest && std::find(secrets.begin(), secrets.end(), value) == secrets.end()) {
      secrets.emplace_back(value);
      // A secret that is part of another must not leave the rest of that one behind.
      std::stable_sort(secrets.begin(), secrets.end(),
                       [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
    }
  }

  void end_line(OutputStream stream) {
    PartialLine line;
    std::swap(line, lines.at(static_cast<std::size_t>(stream)));
    emit("output", [&] {
      std::string text = masked(std::move(line.text));
      const bool is_cut = line.is_cut || text.size() > k_longest_text;
      text.resize(std::min(text.size(), k_longest_text));
      return Json{{"stream", stream == OutputStream::out ? "stdout" : "stderr"},
                  {"step", steps.empty() ? Json(nullptr) : Json(steps.back())},
                  {"text", is_cut ? text + " ..." : text},
                  {"cut", is_cut}};
    });
  }

  void end_lines() {
    const std::lock_guard lock(mutex);
    for (const OutputStream stream : {OutputStream::out, OutputStream::error}) {
      if (!lines.at(static_cast<std::size_t>(stream)).is_empty) {
        end_line(stream);
      }
    }
  }

  std::recursive_mutex mutex;  ///< output comes from another thread; a warning of the sink is an event too
  std::array<PartialLine, 3> lines;
  std::vector<std::string> steps;  ///< that run, each within the one before
  std::chrono::steady_clock::time_point progressed;
  const EventScope scope;
  std::size_t bytes = 0;
  EventSink sink;
  const Clock& clock;
  long long sequence = 0;
  bool concluded = false;
  std::vector<std::string> secrets;
  std::vector<Rows> running{Rows()};  ///< of the run, and of each step that runs
};

EventStream::EventStream(const std::string& where, const Clock& clock, EventScope scope,
                         std::chrono::milliseconds patience)
    : m_state(std::make_unique<State>(where, clock, scope, patience)) {}

bool EventStream::wants_output() const { return m_state->scope.output; }

EventStream::~EventStream() = default;

void EventStream::hide(const config::Settings& settings) {
  std::vector<std::string> sections = settings.sections();
  sections.emplace_back();  // [vdk] itself
  for (const std::string& section : sections) {
    for (const auto& [name, value] : settings.values(section)) {
      if (config::is_secret_name(name)) {
        secret(value);
      }
    }
  }
}

void EventStream::secret(std::string_view value) {
  m_state->hide(value, k_shortest_secret);
  for (const std::string& line : text::split(std::string(value), '\n')) {
    m_state->hide(text::trim(line), k_shortest_secret_line);
  }
}

void EventStream::started(const RunStart& start) {
  m_state->emit("run_started", [&] {
    return Json{{"job", start.job.name},
                {"directory", start.job.directory.string()},
                {"execution_id", start.ids.execution_id},
                {"attempt_id", start.ids.attempt_id},
                {"op_id", start.ids.op_id}};
  });
}

void EventStream::planned(const Plan& plan) {
  m_state->emit("plan", [&] {
    Json steps = Json::array();
    std::size_t runs = 0;
    for (const PlannedStep& planned : plan.steps) {
      Json step = step_json(planned.step);
      step["action"] = planned.runs ? "run" : "skip";
      step["reason"] = m_state->masked_or_null(planned.reason);
      runs += planned.runs ? 1 : 0;
      steps.push_back(std::move(step));
    }
    Json warnings = Json::array();
    for (const std::string& warning : plan.warnings) {
      warnings.push_back(m_state->masked(warning));
    }
    return Json{{"mode", to_string(plan.mode)}, {"runs", runs}, {"warnings", warnings}, {"steps", steps}};
  });
}

void EventStream::step_started(const StepStart& start) {
  m_state->end_lines();
  m_state->running.emplace_back();
  {
    const std::lock_guard lock(m_state->mutex);
    m_state->steps.push_back(start.step.name);
    m_state->progressed = {};
  }
  m_state->emit("step_started", [&] {
    Json event = step_json(start.step);
    event["depth"] = start.depth;
    event["number"] = start.number;
    event["count"] = start.count;
    return event;
  });
}

void EventStream::step_ended(const StepResult& result, int depth) {
  m_state->end_lines();
  {
    const std::lock_guard lock(m_state->mutex);
    m_state->steps.pop_back();
  }
  const Rows rows = m_state->running.back();
  m_state->running.pop_back();
  add(m_state->running.back(), rows);
  m_state->emit("step_ended", [&] {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(result.end_time - result.start_time);
    return Json{{"step", result.name},
                {"type", result.type},
                {"file", text_or_null(result.file.string())},
                {"cell_id", text_or_null(result.cell_id)},
                {"cell_number", count_or_null(result.cell_number)},
                {"depth", depth},
                {"start_time", format_time_millis(result.start_time)},
                {"end_time", format_time_millis(result.end_time)},
                {"duration_ms", std::max<long long>(took.count(), 0)},
                {"status", to_string(result.status)},
                {"blamee", text_or_null(to_string(result.blamee))},
                {"exception", text_or_null(result.exception_name)},
                {"message", m_state->masked_or_null(result.exception)},
                {"details", m_state->masked_or_null(result.details)},
                {"line", count_or_null(result.line)},
                {"ingested", rows_json(rows)}};
  });
}

void EventStream::ingested(std::string_view method, std::string_view table, long long rows) {
  m_state->running.back()[{std::string(method), std::string(table)}] += rows;
  m_state->emit("ingested", [&] { return Json{{"method", method}, {"table", text_or_null(table)}, {"rows", rows}}; });
}

void EventStream::progress(std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (now - m_state->progressed < k_between_progress) {
    return;
  }
  m_state->progressed = now;
  m_state->emit("progress", [&] {
    return Json{{"step", m_state->steps.empty() ? Json(nullptr) : Json(m_state->steps.back())},
                {"text", m_state->masked(std::string(text))}};
  });
}

void EventStream::log_line(std::string_view level, std::string_view text) {
  logged({std::string(level), "vdk", std::string(text), ""});
}

void EventStream::logged(const LogRecord& record) {
  m_state->emit("log", [&] {
    return Json{{"level", record.level},
                {"logger", record.logger},
                {"message", m_state->masked(record.message)},
                {"exception", m_state->masked_or_null(record.exception)}};
  });
}

void EventStream::output(OutputStream stream, std::string_view bytes) {
  const std::lock_guard lock(m_state->mutex);
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    m_state->lines.at(static_cast<std::size_t>(stream)).append(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    m_state->end_line(stream);
    bytes.remove_prefix(end + 1);
  }
}

void EventStream::ended(const RunResult& result) {
  m_state->concluded = true;
  m_state->end_lines();
  m_state->emit("result", [&] {
    return Json{{"success", result.success},
                {"exit_code", result.exit_code},
                {"status", text_or_null(result.termination_status)},
                {"blamee", text_or_null(to_string(result.blamee))},
                {"message", m_state->masked_or_null(result.details)},
                {"execution_id", text_or_null(result.execution_id)},
                {"start_time", format_time_millis(result.start_time)},
                {"end_time", format_time_millis(result.end_time)},
                {"steps_run", result.steps.size()},
                {"ingested", rows_json(m_state->running.front())}};
  });
}

void EventStream::refused(const Error& error) {
  if (m_state->concluded) {
    return;
  }
  RunResult result;
  result.success = false;
  result.exit_code = exit_code(error.kind());
  result.details = error.what();
  result.start_time = result.end_time = m_state->clock.now();
  ended(result);
}

}  // namespace vdk::run

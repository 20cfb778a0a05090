// SPDX-License-Identifier: Apache-2.0
#include "run/report/failure_report.hpp"

#include <algorithm>

#include "run/report/report.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

constexpr std::size_t longest_error = 2000;
constexpr std::size_t longest_line = 200;

const job::Step* find_step(const StepResult& result, const RunRequest& request) {
  const auto& steps = request.job.steps;
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const job::Step& step) {
    return step.name == result.name && step.file == result.file;
  });
  return found == steps.end() ? nullptr : &*found;
}

/// Not the middle of a UTF-8 character.
std::string cut(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) {
    --limit;
  }
  return text.substr(0, limit) + " ...";
}

/// FILE:LINE, or the cell of the notebook.
std::string place(const StepResult& failed, const job::Step& step) {
  if (step.cell) {
    const std::string cell = (step.file.parent_path() / job::place_of(step)).string();
    return failed.line > 0 ? cell + ", line " + std::to_string(failed.line) : cell;
  }
  return failed.line > 0 ? step.file.string() + ":" + std::to_string(failed.line) : step.file.string();
}

std::string source_line(const StepResult& failed, const job::Step& step) {
  if (failed.line == 0) {
    return {};
  }
  std::string source;
  try {
    source = step.cell ? step.cell->source : files::read(step.file);
  } catch (const Error&) {
    return {};  // it is gone; its place still says something
  }
  const std::vector<std::string> lines = text::split(source, '\n');
  if (failed.line > lines.size() || !text::is_valid_utf8(lines[failed.line - 1])) {
    return {};
  }
  const std::string line(text::trim(lines[failed.line - 1]));
  return line.empty() ? line : "\n    " + std::to_string(failed.line) + " | " + cut(line, longest_line);
}

/// The summary has the four parts of an error whole: here are what and why in one sentence, and the way out.
std::string sentence(const std::string& text) {
  const std::vector<std::string> lines = text::split(text, '\n');
  std::string out = lines.front().starts_with("error: ") ? lines.front().substr(sizeof "error: " - 1) : lines.front();
  bool parts = false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].starts_with("why: ")) {
      out = out.substr(0, out.find('\n')) + ": " + lines[i].substr(sizeof "why: " - 1);
      parts = true;
    } else if (!parts || !lines[i].starts_with("consequences: ")) {
      out += "\n" + lines[i];
    }
  }
  return std::string(text::trim(out));
}

std::string error_of(const StepResult& failed) {
  const std::string text = sentence(failed.exception);
  const std::string whole = failed.exception_name.empty() ? text : failed.exception_name + ": " + text;
  return "\n    " + text::replace_all(cut(whole, longest_error), "\n", "\n    ");
}

std::string done_before(const RunResult& result, const StepResult& failed) {
  std::vector<std::string> done;
  for (const StepResult& step : result.steps) {
    if (&step == &failed) {
      break;
    }
    done.push_back(step.rows > 0 ? step.name + " (" + rows_ingested(step.rows) + ")" : step.name);
  }
  return "\nDone before it: " + (done.empty() ? std::string("nothing") : text::join(done, ", "));
}

std::string command(const RunRequest& request) {
  std::string line = "vdk run " + text::shell_quote(request.job.directory.string()) + " --from-failed";
  if (!request.arguments_json.empty()) {
    line += " --arguments " + text::shell_quote(request.arguments_json);
  }
  return request.rerun.atomic_steps ? line + " --atomic-steps" : line;
}

}  // namespace

std::string failure_report(const RunResult& result, const RunRequest& request) {
  const auto failed = std::find_if(result.steps.begin(), result.steps.end(),
                                   [](const StepResult& step) { return is_failure(step.status); });
  if (failed == result.steps.end() || result.handled) {
    return {};
  }
  std::string out = (failed->status == StepStatus::cancelled ? "Cancelled step: " : "Failed step: ") + failed->name;
  const job::Step* step = find_step(*failed, request);
  if (step != nullptr && step->kind != job::StepKind::program) {
    out += "\n    " + place(*failed, *step) + source_line(*failed, *step);
  }
  out += error_of(*failed) + done_before(result, *failed);
  if (result.remembered) {
    out += "\nGo on from there: " + command(request);
  }
  return out;
}

}  // namespace vdk::run

// SPDX-License-Identifier: Apache-2.0
#include "run/rerun/plan.hpp"

#include <algorithm>

#include "run/python/host.hpp"
#include "run/sql/form.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;

std::size_t first_difference(const std::string& old, const std::string& now) {
  const auto end = std::mismatch(old.begin(), old.end(), now.begin(), now.end()).second;
  return 1 + static_cast<std::size_t>(std::count(now.begin(), end, '\n'));
}

std::string quoted(const std::string& name) { return "'" + name + "'"; }

class Planner {
 public:
  Planner(const Rerun& asked, const job::Job& job, const RerunStore& store, const RerunInputs& now,
          fs::path interpreter)
      : m_asked(asked),
        m_job(job),
        m_store(store),
        m_state(store.state),
        m_now(now),
        m_interpreter(std::move(interpreter)),
        m_names(identities(job.steps)) {}

  Plan make();

 private:
  const StepRecord* record(std::size_t index) const;
  std::string stale(std::size_t index) const;
  std::string stale_inputs(const StepRecord& record, const job::Step& step) const;
  std::string stale_values(const Texts& recorded, const std::string& store, const Texts& own) const;
  std::string stale_variables(const Texts& recorded) const;
  std::string stale_files(const StepRecord& record) const;
  std::string stale_database() const;
  bool same_code(const std::string& old, const std::string& now) const;
  void find_start();
  void step_back(Plan& plan);
  bool can_start(std::size_t index, std::string& why) const;
  std::size_t index_of(const std::string& name) const;
  Plan named();
  Plan from(std::size_t start);

  const Rerun& m_asked;
  const job::Job& m_job;
  const RerunStore& m_store;
  const RunState& m_state;
  const RerunInputs& m_now;
  fs::path m_interpreter;
  std::vector<std::string> m_names;
  std::size_t m_start = 0;          ///< first step that runs
  std::size_t m_end = 0;            ///< behind the last step that may run
  std::string m_reason;             ///< why the first one runs
  std::vector<std::string> m_back;  ///< why steps before that run too, by index
};

const StepRecord* Planner::record(std::size_t index) const {
  const auto found = m_state.steps.find(m_names[index]);
  return found == m_state.steps.end() ? nullptr : &found->second;
}

bool Planner::same_code(const std::string& old, const std::string& now) const {
  if (old == now) {
    return true;
  }
  if (old.starts_with("sql\n") && now.starts_with("sql\n")) {
    return sql_form(old) == sql_form(now);
  }
  if (!old.starts_with("python\n") || !now.starts_with("python\n") || m_interpreter.empty()) {
    return false;
  }
  try {
    process::Command command;
    command.argv = {m_interpreter.string(), (sdk_directory() / "vdk/sdk/same_code.py").string()};
    command.input = nlohmann::json::array({nlohmann::json::array({old.substr(7), now.substr(7)})}).dump();
    command.timeout = std::chrono::seconds(30);
    return process::run(command).out == "[true]";
  } catch (const std::exception&) {
    return false;
  }
}

/// Why the step cannot be left out; empty when it can, as far as its own record says.
std::string Planner::stale(std::size_t index) const {
  const StepRecord* known = record(index);
  if (known == nullptr) {
    return "it has not run yet";
  }
  if (known->status == "error") {
    return "it failed in the last run";
  }
  if (known->status == "running" || known->status == "cancelled") {
    return "it was interrupted in the last run";
  }
  const StepRecord* before = index == 0 ? nullptr : record(index - 1);
  if (known->built_on != (before == nullptr ? "" : before->id)) {
    return "the steps before it are not the ones that it ran behind";
  }
  return stale_inputs(*known, m_job.steps[index]);
}

std::string Planner::stale_inputs(const StepRecord& known, const job::Step& step) const {
  const auto environment = m_state.environments.find(known.environment);
  std::string why = environment == m_state.environments.end() ? "its settings are not known"
                                                              : m_now.environment_change(environment->second);
  if (!why.empty()) {
    return why;
  }
  const std::string source = recorded_source(step);
  if (!same_code(known.source, source)) {
    const std::size_t line = first_difference(known.source, source);
    return "its source changed" + (line > 1 ? " at line " + std::to_string(line - 1) : "");
  }
  if (step.kind != job::StepKind::sql && known.module_names != m_now.module_names()) {
    return "a module was added to the job folder, or removed";
  }
  for (const auto& [path, text] : known.modules) {
    const auto now = files::read_if_exists(path);
    if (!now || !same_code(text, "python\n" + *now)) {
      return "the module " + quoted(fs::path(path).filename().string()) + " changed";
    }
  }
  why = stale_files(known);
  why = why.empty() ? stale_variables(known.variables) : why;
  why = why.empty() ? stale_values(known.arguments, "arguments", {}) : why;
  why = why.empty() ? stale_values(known.properties, "properties", m_state.own_properties) : why;
  return why.empty() ? stale_values(known.secrets, "secrets", m_state.own_secrets) : why;
}

std::string Planner::stale_variables(const Texts& recorded) const {
  bool more = false;
  for (const auto& [name, hash] : recorded) {
    const bool differs = m_now.variable(name) != hash;
    if (differs && name != "*") {
      return "the environment variable " + quoted(name) + " changed";
    }
    more = more || differs;
  }
  return more ? "an environment variable is new" : "";
}

std::string Planner::stale_values(const Texts& recorded, const std::string& store, const Texts& own) const {
  for (const auto& [name, hash] : recorded) {
    const std::string now = m_now.value(store, name);
    const auto written = own.find(name);
    // A resumed run goes on from what the job itself stored before it failed.
    const bool by_itself = m_asked.mode == RerunMode::from_failed && written != own.end() && written->second == now;
    if ((now != hash && !by_itself) || now == "unknown") {
      const std::string kind = store == "properties" ? "property" : store.substr(0, store.size() - 1);
      return name == "*" ? "the " + store + " changed" : "the " + kind + " " + quoted(name) + " changed";
    }
  }
  return {};
}

std::string Planner::stale_files(const StepRecord& known) const {
  if (!known.complete) {
    return known.why.empty() ? "not everything that it reads is known" : known.why;
  }
  std::error_code ignored;
  if (!known.folder.empty() && known.folder != fs::current_path(ignored)) {
    return "it ran in the working folder " + quoted(known.folder);
  }
  for (const auto& [path, stamp] : known.read) {
    const std::string now = RerunInputs::file_stamp(path);
    const auto own = m_state.own_files.find(path);
    const bool by_itself =
        m_asked.mode == RerunMode::from_failed && own != m_state.own_files.end() && own->second == now;
    if (now != stamp && !by_itself) {
      return "the file " + quoted(path) + " changed";
    }
  }
  for (const auto& [path, there] : known.written) {
    if (there == "there" && !fs::exists(path, ignored)) {
      return "the file " + quoted(path) + " that it wrote is gone";
    }
  }
  for (const auto& [path, there] : known.written) {
    const auto left = m_state.left_files.find(path);
    if (m_asked.mode != RerunMode::from_failed && left != m_state.left_files.end() &&
        RerunInputs::file_identity(path) != left->second) {
      return "the file " + quoted(path) + " that it wrote was changed by something else";
    }
  }
  for (const auto& [path, target] : known.links) {
    if (RerunInputs::link_target(path) != target) {
      return "the link " + quoted(path) + " leads elsewhere";
    }
  }
  for (const auto& [path, measure] : known.measured) {
    if (RerunInputs::measure(path) != measure &&
        !(m_asked.mode == RerunMode::from_failed && m_state.own_files.contains(path))) {
      return "the file " + quoted(path) + " has another size or time";
    }
  }
  for (const auto& [path, before] : known.asked) {
    const std::string now = RerunInputs::presence(path);
    const bool by_itself = m_asked.mode == RerunMode::from_failed && m_state.own_files.contains(path);
    if (now != before && !by_itself) {
      return quoted(path) + (now == "there" ? " is new" : " is gone") + "; it asked whether it is there";
    }
  }
  for (const auto& [path, stamp] : known.listed) {
    if (RerunInputs::listing_stamp(path) != stamp) {
      return "the content of the folder " + quoted(path) + " changed";
    }
  }
  return {};
}

/// The database holds what the steps before have done; somebody else's writes make that uncertain.
std::string Planner::stale_database() const {
  for (const auto& [path, stamp] : m_state.databases) {
    const std::string now = m_now.database_now(path);
    if (now == stamp) {
      continue;
    }
    const bool other_file =
        now.substr(0, now.rfind(':', now.rfind(':') - 1)) != stamp.substr(0, stamp.rfind(':', stamp.rfind(':') - 1));
    if (m_asked.mode != RerunMode::from_failed || other_file) {
      const bool is_server = path.starts_with("server ");
      const std::string name = quoted(is_server ? path.substr(7) : path) + " ";
      if (is_server && !other_file) {
        return "something was written to the server of the database " + name + "since the last run";
      }
      return "the database " + name + (other_file ? "is another one or gone" : "was changed by something else") +
             " since the last run";
    }
  }
  return {};
}

void Planner::find_start() {
  m_end = m_job.steps.size();
  m_start = m_end;
  if (m_state.steps.empty()) {
    m_start = 0;
    m_reason = "nothing is known of an earlier run";
    return;
  }
  m_reason = stale_database();
  if (!m_reason.empty()) {
    m_start = 0;
    return;
  }
  for (std::size_t i = 0; i < m_end; ++i) {
    m_reason = stale(i);
    if (!m_reason.empty()) {
      m_start = i;
      return;
    }
    if (record(i)->status == "skip_requested") {
      m_end = i + 1;
      m_start = m_end;
      return;
    }
  }
}

/// Whether a process can be brought into the state behind the step before `index`.
bool Planner::can_start(std::size_t index, std::string& why) const {
  if (index == 0) {
    return true;
  }
  const StepRecord* before = record(index - 1);
  if (before == nullptr) {
    why = "what it leaves for the next steps is not known";
    return false;
  }
  const Carry& carry = before->carry;
  if (carry.kind == "none") {
    return true;
  }
  std::error_code ignored;
  if (carry.kind == "saved") {
    why = "the saved names behind it are gone";
    return fs::exists(m_store.snapshot(carry.snapshot), ignored);
  }
  constexpr std::size_t told = 3;
  why.clear();
  for (std::size_t i = 0; i < std::min(told, carry.lost.size()); ++i) {
    why += (why.empty() ? "" : "; ") + quoted(carry.lost[i].first) + " cannot be saved (" + carry.lost[i].second + ")";
  }
  if (carry.lost.size() > told) {
    why += "; and " + std::to_string(carry.lost.size() - told) + " more";
  }
  return false;
}

void Planner::step_back(Plan& plan) {
  m_back.assign(m_job.steps.size(), "");
  std::string why;
  while (m_start < m_end && !can_start(m_start, why)) {
    --m_start;
    m_back[m_start] = "behind it " + why;
  }
  if (m_start > 0 && m_start < m_end && record(m_start - 1)->carry.kind == "saved") {
    plan.snapshot = m_store.snapshot(record(m_start - 1)->carry.snapshot);
  }
}

std::size_t Planner::index_of(const std::string& name) const {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < m_job.steps.size(); ++i) {
    const job::Step& step = m_job.steps[i];
    known.push_back(step.name);
    if (step.name == name) {
      return i;
    }
    for (const std::string& file : {step.file.filename().string(), step.file.stem().string()}) {
      if (step.cell && ((!step.cell->id.empty() && name == file + ":" + step.cell->id) ||
                        name == file + ":" + std::to_string(step.cell->number))) {
        return i;
      }
    }
  }
  const auto near = text::nearest(name, known);
  throw Error(ErrorKind::usage,
              {"cannot start at the step '" + name + "'", "the job has no step of that name", "nothing was run",
               (near ? "did you mean '" + *near + "'? " : "") + "The steps are " + text::quoted_list(known)});
}

/// --from and --only do as they are told, but not without a word.
Plan Planner::named() {
  const std::size_t wanted = index_of(m_asked.step);
  find_start();
  Plan plan;
  if (m_start < wanted) {
    plan.warnings.push_back("the step " + m_job.steps[m_start].name + " would have to run too (" + m_reason +
                            "): the result may differ from that of a full run");
  }
  m_start = wanted;
  m_end = m_job.steps.size();
  m_reason = "it was asked for";
  step_back(plan);
  if (m_asked.mode == RerunMode::only && m_start != wanted) {
    throw Error(ErrorKind::operation,
                {"cannot run " + m_job.steps[wanted].name + " alone", m_back[wanted - 1], "nothing was run",
                 "Run from " + m_job.steps[m_start].name + " on: --from " + m_job.steps[m_start].name});
  }
  for (std::size_t i = 0; i < m_job.steps.size(); ++i) {
    const bool runs = m_asked.mode == RerunMode::only ? i == wanted : i >= m_start;
    std::string why = i == wanted ? m_reason : (i < wanted ? m_back[i] : "it follows a step that runs");
    if (!runs) {
      why = m_asked.mode == RerunMode::only ? "only " + m_job.steps[wanted].name + " was asked for"
                                            : "it stands before the step that was asked for";
    }
    plan.steps.push_back({m_job.steps[i], runs, why});
  }
  return plan;
}

Plan Planner::make() {
  if (m_asked.mode == RerunMode::from || m_asked.mode == RerunMode::only) {
    return named();
  }
  Plan plan;
  if (m_asked.mode == RerunMode::from_failed && m_state.status == "success") {
    for (const job::Step& step : m_job.steps) {
      plan.steps.push_back({step, false, "the last run did not fail"});
    }
    return plan;
  }
  find_start();
  const std::size_t first = m_start;
  step_back(plan);
  for (std::size_t i = 0; i < m_job.steps.size(); ++i) {
    const bool runs = i >= m_start && i < m_end;
    std::string why = i == first ? m_reason : (i < first ? m_back[i] : "it follows a step that runs");
    if (!runs) {
      why = i < m_end ? "unchanged" : "the step before asked to skip what follows";
    }
    plan.steps.push_back({m_job.steps[i], runs, why});
  }
  plan.resumes = m_state.status != "success" && m_start > 0 && !plan.is_empty();
  return plan;
}

}  // namespace

std::string recorded_source(const job::Step& step) {
  return std::string(job::to_string(step.kind)) + "\n" + RerunInputs::source(step);
}

Plan make_plan(const Rerun& asked, const job::Job& job, const RerunStore& store, const RerunInputs& now,
               const fs::path& interpreter) {
  Plan plan = Planner(asked, job, store, now, interpreter).make();
  plan.mode = asked.mode;
  return plan;
}

}  // namespace vdk::run

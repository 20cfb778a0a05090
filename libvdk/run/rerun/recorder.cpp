// SPDX-License-Identifier: Apache-2.0
#include "run/rerun/recorder.hpp"

#include "run/python/text.hpp"
#include "run/rerun/plan.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

constexpr std::size_t kept_source = 1U << 20U;
constexpr long long snapshots_together = 4;  // times the limit of one

std::vector<std::string> texts_at(const nlohmann::ordered_json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object.at(key).get<std::vector<std::string>>()
                                                    : std::vector<std::string>{};
}

}  // namespace

RerunRecorder::RerunRecorder(RerunStore& store, RerunInputs& now, const Session& session, const Plan& plan, bool atomic)
    : m_store(store), m_now(now), m_session(session), m_atomic(store, session), m_is_atomic(atomic) {
  const std::vector<std::string> names = identities(session.request.job.steps);
  for (std::size_t i = 0; i < names.size(); ++i) {
    m_identities[key(session.request.job.steps[i])] = names[i];
    m_before[names[i]] = i == 0 ? "" : names[i - 1];
    const bool first = plan.steps[i].runs && (i == 0 || !plan.steps[i - 1].runs);
    if (first && !plan.snapshot.empty()) {
      m_carry = store.state.steps[names[i - 1]].carry;
    }
  }
  RunState& state = store.state;
  store.renew();
  std::erase_if(state.steps, [&](const auto& entry) { return !m_before.contains(entry.first); });
  state.status = "running";
  state.execution_id = session.request.ids.execution_id;
  state.op_id = session.request.ids.op_id;
  state.databases.clear();
  // Before this run writes there: what somebody else has changed meanwhile stays known until its step writes it again.
  for (auto& [path, identity] : state.left_files) {
    identity = RerunInputs::file_identity(path) == identity ? identity : "changed";
  }
  if (!plan.resumes) {
    state.own_files.clear();
    state.own_properties.clear();
    state.own_secrets.clear();
  }
}

void RerunRecorder::begin(const job::Step& step) {
  m_identity = m_identities[key(step)];
  const std::string& before = m_before[m_identity];
  m_record = {};
  m_record.id = random_hex(8);
  m_record.name = step.name;
  m_record.status = "running";
  m_record.built_on = before.empty() ? "" : m_store.state.steps[before].id;
  m_record.source = recorded_source(step);
  if (m_record.source.size() > kept_source) {
    m_record.source = "#" + m_store.hash(m_record.source);  // equal to no later text: the step runs again
  }
  m_record.complete = step.kind != job::StepKind::program;  // what a program reads is not seen
  m_record.environment = m_now.environment_key();
  m_record.module_names = m_now.module_names();
  m_store.state.environments[m_record.environment] = m_now.environment();
  m_store.state.steps[m_identity] = m_record;
  if (m_is_atomic) {
    m_atomic.begin(m_identity);
  }
  m_store.save_steps({before, m_identity});
}

void RerunRecorder::end(const StepResult& result, const Asked& asked) {
  m_record.status = to_string(result.status);
  if (asked.host.is_object()) {
    m_now.add_packages(texts_at(asked.host, "packages"));
    m_record.environment = m_now.environment_key();
    m_store.state.environments[m_record.environment] = m_now.environment();
    note_files(asked.host);
    note_carry(asked.host);
  }
  note_attached();
  note_values(asked);
  for (const std::string& store : m_rewritten) {
    m_now.forget(store);
  }
  m_rewritten.clear();
  m_record.carry = m_carry;
  const std::string open = m_session.databases->open_state();
  if (!open.empty()) {
    m_record.carry.kind = "lost";
    m_record.carry.lost.emplace_back("the database connection", open);
  }
  m_store.state.steps[m_identity] = m_record;
  // When this run is killed, the next one still has to find the same databases.
  for (const auto& [place, stamp] : m_now.servers()) {
    m_store.state.databases[place] = stamp;
  }
}

void RerunRecorder::note_attached() {
  for (const std::string& name : m_session.databases->take_attached()) {
    if (name.empty() || name.starts_with("file:")) {
      m_record.complete = false;
      m_record.why = "it attached a database, and which file that is is not known";
    } else if (name != ":memory:") {
      const std::filesystem::path path = std::filesystem::absolute(name).lexically_normal();
      m_record.read[path.string()] = RerunInputs::file_stamp(path);
      m_record.folder = name.front() == '/' ? m_record.folder : std::filesystem::current_path().string();
    }
  }
}

void RerunRecorder::note_files(const nlohmann::ordered_json& host) {
  m_record.complete = host.value("complete", false);
  m_record.why = host.value("why", "");
  m_record.folder = host.value("relative", false) ? std::filesystem::current_path().string() : "";
  const auto modules = host.value("modules", std::map<std::string, std::string>{});
  for (const auto& [name, path] : modules) {
    const std::string text = files::read_if_exists(path).value_or("");
    m_record.modules[path] = "python\n" + text;
  }
  for (const std::string& path : texts_at(host, "read")) {
    m_record.read[path] = RerunInputs::file_stamp(path);
  }
  for (const std::string& path : texts_at(host, "listed")) {
    m_record.listed[path] = RerunInputs::listing_stamp(path);
  }
  for (const std::string& path : texts_at(host, "asked")) {
    m_record.asked[path] = RerunInputs::presence(path);
  }
  for (const std::string& path : texts_at(host, "measured")) {
    m_record.measured[path] = RerunInputs::measure(path);
  }
  for (const std::string& path : texts_at(host, "links")) {
    m_record.links[path] = RerunInputs::link_target(path);
  }
  for (const std::string& path : texts_at(host, "written")) {
    m_written.insert(path);
    const std::string stamp = RerunInputs::file_stamp(path);
    m_record.written[path] = stamp == "missing" ? "missing" : "there";
    m_store.state.own_files[path] = stamp;
  }
}

void RerunRecorder::note_values(const Asked& asked) {
  const auto note = [&](Texts& into, const std::string& store, const std::string& name) {
    into[name] = m_now.value(store, name);
  };
  for (const std::string& name : asked.arguments) {
    note(m_record.arguments, "arguments", name);
  }
  for (const std::string& name : asked.properties) {
    note(m_record.properties, "properties", name);
  }
  for (const std::string& name : texts_at(asked.host, "arguments")) {
    note(m_record.arguments, "arguments", name);
  }
  for (const std::string& name : texts_at(asked.host, "properties")) {
    note(m_record.properties, "properties", name);
  }
  for (const std::string& name : texts_at(asked.host, "secrets")) {
    note(m_record.secrets, "secrets", name);
  }
  for (const std::string& name : texts_at(asked.host, "variables")) {
    m_record.variables[name] = m_now.variable(name);
    for (const std::string& one : name == "*" ? RerunInputs::variables_that_matter() : std::vector<std::string>{}) {
      m_record.variables[one] = m_now.variable(one);
    }
  }
}

void RerunRecorder::note_carry(const nlohmann::ordered_json& host) {
  m_carry = {};
  m_carry.kind = host.value("carry", "lost");
  m_carry.bytes = host.value("bytes", 0LL);
  if (m_carry.kind == "saved") {
    m_carry.snapshot = m_record.id;
  }
  if (host.contains("lost")) {
    m_carry.lost = host.at("lost").get<std::vector<std::pair<std::string, std::string>>>();
  }
}

void RerunRecorder::writes_values(const std::string& store, const std::string& json_object) {
  (void)m_now.value(store, "*");
  m_rewritten.insert(store);
  const auto all = nlohmann::json(read_exact(json_object));
  Texts& own = store == "secrets" ? m_store.state.own_secrets : m_store.state.own_properties;
  own.clear();
  own["*"] = m_store.hash(all.dump());
  for (const auto& item : all.items()) {
    own[item.key()] = m_store.hash(item.value().dump());
  }
}

void RerunRecorder::finish(const RunResult& result) {
  RunState& state = m_store.state;
  state.status = result.success ? "success" : "error";
  if (m_is_atomic) {
    m_atomic.end(!result.success);
  }
  state.databases = m_now.databases();
  std::set<std::string> used;
  Texts left;
  for (const auto& [identity, record] : state.steps) {
    used.insert(record.environment);
    for (const auto& [path, there] : record.written) {
      const auto before = state.left_files.find(path);
      const bool changed = before != state.left_files.end() && before->second == "changed";
      left[path] = changed && !m_written.contains(path) ? "changed" : RerunInputs::file_identity(path);
    }
  }
  state.left_files = std::move(left);
  std::erase_if(state.environments, [&](const auto& entry) { return !used.contains(entry.first); });
  long long limit = text::parse_int(m_session.setting("run_snapshot_limit_mb")).value_or(256);
  m_store.clean(limit * (1LL << 20) * snapshots_together);
  m_store.save();
}

}  // namespace vdk::run

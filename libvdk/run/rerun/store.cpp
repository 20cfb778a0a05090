// SPDX-License-Identifier: Apache-2.0
#include "run/rerun/store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "vdk/core/hash.hpp"
#include "vdk/core/process.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;

fs::path place_of(const Session& session) {
  const fs::path& job = session.request.job.directory;
  std::error_code ignored;
  if (fs::is_directory(job / ".vdk", ignored)) {
    return job / ".vdk";
  }
  fs::path root = session.setting("state_dir");
  if (root.empty()) {
    const auto xdg = process::environment("XDG_STATE_HOME");
    const bool usable = xdg && fs::path(*xdg).is_absolute();
    root = (usable ? fs::path(*xdg) : files::home_directory() / ".local/state") / "vdk/runs";
  }
  return root / (job.filename().string() + "-" + sha256_hex(job.string()).substr(0, 16));
}

/// Opens a file that only the owner can read.
std::ofstream open_private(const fs::path& path) {
  const mode_t mask = umask(0077);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  umask(mask);
  return file;
}

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// All but the steps, which are many.
nlohmann::json head_of(RunState& state) {
  std::map<std::string, StepRecord> steps;
  steps.swap(state.steps);
  nlohmann::json head(state);
  steps.swap(state.steps);
  head.erase("steps");
  return head;
}

}  // namespace

RerunStore::RerunStore(fs::path directory, files::FileLock lock)
    : m_directory(std::move(directory)), m_lock(std::move(lock)) {}

std::unique_ptr<RerunStore> RerunStore::open(const Session& session, std::string& why) {
  try {
    const fs::path directory = place_of(session);
    files::make_private_directory(directory);
    files::make_private_directory(directory / "snapshots");
    auto lock = files::FileLock::try_acquire(directory / "lock");
    if (!lock) {
      why = "another run of this job folder is going on";
      return nullptr;
    }
    std::unique_ptr<RerunStore> store(new RerunStore(directory, std::move(*lock)));
    store->load(session.request.job.directory.string());
    return store;
  } catch (const std::exception& error) {
    why = error.what();
    return nullptr;
  }
}

void RerunStore::load(const std::string& job) {
  const auto text = files::read_if_exists(m_directory / "state.json");
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  try {
    if (json.is_object() && json.value("version", 0) == 1 && json.value("job", "") == job) {
      state = json.get<RunState>();
      read_log();
    }
  } catch (const nlohmann::json::exception&) {
    state = {};  // what cannot be read is not known: everything runs
  }
  state.job = job;
  state.salt = state.salt.empty() ? random_hex(16) : state.salt;
}

/// The lines behind a state that was written whole; a torn one is the last of a run that was ended.
void RerunStore::read_log() {
  std::ifstream log(m_directory / "state.log", std::ios::binary);
  nlohmann::json all(state);
  for (std::string line; std::getline(log, line);) {
    const auto added = nlohmann::json::parse(line, nullptr, false);
    if (!added.is_object() || added.value("base", "") != state.serial) {
      break;
    }
    for (const auto& item : added.items()) {
      if (item.key() == "steps") {
        all["steps"].update(item.value());
      } else if (item.key() != "base") {
        all[item.key()] = item.value();
      }
    }
  }
  state = all.get<RunState>();
}

void RerunStore::save_steps(const std::vector<std::string>& identities) {
  if (m_head.is_null()) {
    save();
    return;
  }
  nlohmann::json head = head_of(state);
  nlohmann::json line{{"base", state.serial}};
  for (const auto& item : head.items()) {
    if (m_head[item.key()] != item.value()) {
      line[item.key()] = item.value();
    }
  }
  m_head = std::move(head);
  for (const std::string& identity : identities) {
    if (const auto found = state.steps.find(identity); found != state.steps.end()) {
      line["steps"][identity] = found->second;
    }
  }
  if (!m_log) {
    m_log = std::make_unique<std::ofstream>(open_private(m_directory / "state.log"));
  }
  *m_log << text_of(line) << '\n' << std::flush;
}

void RerunStore::save() {
  // No fsync: after a power cut a torn file is no JSON, so nothing is known and everything runs.
  const fs::path temporary = m_directory / "state.json.new";
  state.serial = random_hex(8);
  {
    std::ofstream file = open_private(temporary);
    file << text_of(state);
  }
  fs::rename(temporary, m_directory / "state.json");
  m_head = head_of(state);
  m_log.reset();
  std::error_code ignored;
  fs::remove(m_directory / "state.log", ignored);  // a log of another serial is not read
}

void RerunStore::clean(long long limit) {
  std::map<std::string, StepRecord*> wanted;
  for (auto& [identity, record] : state.steps) {
    if (!record.carry.snapshot.empty()) {
      wanted[record.carry.snapshot] = &record;
    }
  }
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  long long total = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(m_directory / "snapshots", ignored)) {
    if (!wanted.contains(entry.path().filename().string())) {
      fs::remove(entry.path(), ignored);
      continue;
    }
    kept.emplace_back(entry.last_write_time(ignored), entry.path());
    total += static_cast<long long>(entry.file_size(ignored));
  }
  std::sort(kept.begin(), kept.end());
  for (const auto& [time, path] : kept) {
    if (total <= limit) {
      break;
    }
    total -= static_cast<long long>(fs::file_size(path, ignored));
    fs::remove(path, ignored);
  }
}

std::string RerunStore::hash(const std::string& value) const { return sha256_hex(state.salt + value).substr(0, 32); }

}  // namespace vdk::run

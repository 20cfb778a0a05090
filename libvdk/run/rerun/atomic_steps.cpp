// SPDX-License-Identifier: Apache-2.0
#include "run/rerun/atomic_steps.hpp"

#include <sqlite3.h>

#include <memory>

#include "run/rerun/inputs.hpp"
#include "vdk/core/hash.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;

struct Closer {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

Connection open(const fs::path& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Connection db(raw);
  if (code != SQLITE_OK) {
    throw Error(ErrorKind::platform, {"cannot open '" + path.string() + "' for --atomic-steps",
                                      raw != nullptr ? sqlite3_errmsg(raw) : "out of memory", "the step was not run",
                                      "Check that the folder can be written, or run without --atomic-steps"});
  }
  sqlite3_busy_timeout(raw, 10'000);
  return db;
}

void copy_database(const fs::path& from, const fs::path& to) {
  const Connection source = open(from);
  const Connection target = open(to);
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  const int code = backup == nullptr ? sqlite3_errcode(target.get()) : sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) {
    throw Error(ErrorKind::platform,
                {"cannot copy the database '" + from.string() + "' for --atomic-steps", sqlite3_errstr(code),
                 "a failed step would not be taken back",
                 "Close the programs that hold the database locked, or run without --atomic-steps"});
  }
}

void put_back(const RerunStore& store, const Texts& backups) {
  std::error_code ignored;
  for (const auto& [path, name] : backups) {
    if (!name.empty()) {
      copy_database(store.backup(name), path);
      continue;
    }
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      fs::remove(path + suffix, ignored);
    }
  }
}

void forget(RerunStore& store) {
  std::error_code ignored;
  fs::remove_all(store.backup(""), ignored);
  store.state.backups.clear();
  store.state.atomic_step.clear();
}

}  // namespace

void AtomicSteps::begin(const std::string& identity) {
  files::make_private_directory(m_store.backup(""));
  if (!m_session.databases->servers().empty() && !m_warned) {
    m_warned = true;
    m_session.lines.warning(
        "--atomic-steps does not cover PostgreSQL: a .sql step is one transaction there, but what a Python step has "
        "committed or sent before it fails stays");
  }
  for (const auto& [name, file] : m_session.databases->files()) {
    const fs::path path = fs::absolute(file).lexically_normal();
    const std::string stamp = RerunInputs::database_stamp(path);
    std::string& backup = m_store.state.backups[path.string()];
    if (m_stamps[path.string()] == stamp) {
      continue;
    }
    std::error_code ignored;
    backup = fs::exists(path, ignored) ? sha256_hex(path.string()).substr(0, 16) + ".db" : "";
    if (!backup.empty()) {
      fs::remove(m_store.backup(backup), ignored);
      copy_database(path, m_store.backup(backup));
    }
    m_stamps[path.string()] = stamp;
  }
  m_store.state.atomic_step = identity;
}

void AtomicSteps::end(bool failed) {
  if (failed) {
    put_back(m_store, m_store.state.backups);
    m_session.lines.info("the databases are as they were before the step that failed");
  }
  forget(m_store);
}

std::string AtomicSteps::recover(RerunStore& store, const LogLines& lines) {
  const std::string step = store.state.atomic_step;
  if (step.empty()) {
    return step;
  }
  put_back(store, store.state.backups);
  lines.warning("the last run was ended while it was running " + store.state.steps[step].name +
                ": the databases are as they were before that step");
  forget(store);
  store.save();
  return step;
}

}  // namespace vdk::run

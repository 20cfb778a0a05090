// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vdk/control/embedded.hpp"
#include "vdk/control/model.hpp"

namespace vdk::control {

class StoreSession;  // the SOCI side, known to the store's own sources only

/// A desired deployment with what the synchronizer remembers about it.
struct Desired {
  Deployment deployment;
  bool user_initiated = true;
  int attempts = 0;
  std::optional<TimePoint> retry_at;
  bool send_notification = true;  ///< mail the contacts about the next outcome
};

/// An execution with what only the service knows of it.
struct ExecutionRow {
  Execution execution;
  TimePoint submitted_time;
  std::string arguments_json = "{}";
  bool cancel_requested = false;
};

struct SourceRecord {
  std::string tree_oid;
  std::string commit_sha;
};

struct Due {
  std::string job_name;
  TimePoint scheduled_time;
};

/// A mail that waits to be sent, or was sent.
struct Mail {
  std::string key;  ///< what it is about; of several with one key the first counts
  std::vector<std::string> recipients;
  std::string subject;
  std::string html;
  int attempts = 0;
};

/// The service's database. One object is for one thread; several objects and processes may use one file at once.
class Store {
 public:
  /// `home` holds the SQLite file where the options name no other database.
  Store(const DatabaseOptions& database, const std::filesystem::path& home);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// A write transaction: everything between here and commit() happens, or nothing. Does not nest. SQLite: the only
  /// writer. PostgreSQL: READ COMMITTED, so that each statement sees what was committed before it, and nothing has to
  /// be repeated because of others; who reads and then writes locks first (lock_job).
  class Write {
   public:
    explicit Write(Store& store);
    ~Write();
    Write(const Write&) = delete;
    Write& operator=(const Write&) = delete;
    void commit();

   private:
    Store& m_store;
    bool m_open = true;
  };

  /// PostgreSQL: until the Write ends, everybody else who locks this job waits. Every Write that reads rows of a job
  /// and then changes them begins with this. SQLite: nothing, a Write is alone anyway. A missing job is fine.
  void lock_job(const std::string& name);
  /// Inside a Write: Error(conflict) when somebody else has taken the lease meanwhile; nobody can until the Write ends.
  void check_fencing(const std::string& lease, long long fencing);
  /// Grows with every change of desired rows, and of actual rows.
  [[nodiscard]] long long desired_revision();
  [[nodiscard]] long long deployments_revision();

  [[nodiscard]] std::optional<DataJob> find_job(const std::string& name);
  void insert_job(const DataJob& job);  ///< Error(conflict) when the name is taken
  void update_job(const DataJob& job);
  void delete_job(const std::string& name);

  [[nodiscard]] std::optional<Desired> desired(const std::string& job);
  [[nodiscard]] std::optional<Deployment> actual(const std::string& job);
  [[nodiscard]] std::vector<Desired> all_desired();
  void put_desired(const Desired& desired);       ///< inside a Write
  void put_actual(const Deployment& deployment);  ///< inside a Write
  void delete_desired(const std::string& job);
  void delete_actual(const std::string& job);  ///< inside a Write
  /// The outcome of a roll-out, kept only while the desired deployment is still the one with `hash`.
  void set_outcome(const std::string& job, const std::string& hash, DeploymentStatus status, const std::string& message,
                   int attempts, std::optional<TimePoint> retry_at);
  /// Jobs whose actual deployment differs from the desired one and which may be tried now.
  [[nodiscard]] std::vector<std::string> out_of_step(TimePoint now);
  /// Jobs that run without being wanted.
  [[nodiscard]] std::vector<std::string> unwanted();
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> actual_hashes();
  /// Enabled actual deployments with a schedule.
  [[nodiscard]] std::vector<Deployment> scheduled();
  /// Jobs with their deployments (running one, else the desired one), in two statements at most.
  [[nodiscard]] std::vector<JobOverview> overview(const std::string& team, int with_executions);

  /// Error(conflict) when the id or the scheduled time is taken or another execution of the job is unfinished.
  void insert_execution(const ExecutionRow& row);
  [[nodiscard]] std::optional<ExecutionRow> execution(const std::string& job, const std::string& id);
  [[nodiscard]] std::vector<ExecutionRow> executions(const std::string& job);  ///< newest first
  /// Executions that are not finished; of one job, or of all when empty.
  [[nodiscard]] std::vector<ExecutionRow> unfinished(const std::string& job);
  [[nodiscard]] bool has_unfinished(const std::string& job);
  [[nodiscard]] bool has_scheduled(const std::string& job, TimePoint scheduled_time);
  [[nodiscard]] bool execution_id_is_taken(const std::string& id);
  /// Changes the row only while it is unfinished; true when it did, so that one of several callers ends an execution.
  bool update_execution(const Execution& execution);
  void request_cancel(const std::string& id);
  /// Finished executions of a job (all jobs when empty) beyond the `keep` newest, or that ended before `before`.
  [[nodiscard]] std::vector<std::string> outdated_executions(const std::string& job, int keep, TimePoint before);
  void delete_execution(const std::string& id);

  [[nodiscard]] std::vector<Due> due();
  /// Inside a Write: true when this very time still waits and nobody else works on it; it is locked until the Write
  /// ends.
  [[nodiscard]] bool claim_due(const Due& due);
  void put_due(const Due& due);  ///< replaces an older one of the same job, never a later one; inside a Write
  void delete_due(const std::string& job);

  /// Note a mail in the transaction of what it tells; false when the key was noted before.
  bool note_mail(const Mail& mail, TimePoint now);
  /// At most `limit` unsent mails whose time has come, the oldest first. They are this caller's alone until `until`,
  /// then they come again unless one of the next two was called. `attempts` counts this one.
  [[nodiscard]] std::vector<Mail> claim_mails(TimePoint now, TimePoint until, int limit);
  void mail_sent(const std::string& key);  ///< the key stays, so that nobody notes it again
  void mail_failed(const std::string& key, TimePoint next_try);
  void forget_mails(TimePoint noted_before);  ///< sent or not

  [[nodiscard]] std::optional<SourceRecord> source(const std::string& job);
  [[nodiscard]] std::vector<std::pair<std::string, SourceRecord>> all_sources();
  void put_source(const std::string& job, const SourceRecord& record);
  void delete_source(const std::string& job);
  [[nodiscard]] std::optional<std::string> properties(const std::string& job);
  void put_properties(const std::string& job, const std::string& json);
  [[nodiscard]] std::optional<std::string> secrets(const std::string& job);
  void put_secrets(const std::string& job, const std::string& ciphertext);
  [[nodiscard]] std::optional<std::string> state(const std::string& name);
  void put_state(const std::string& name, const std::string& value);
  /// Statements sent so far; tests hold on to it that their number does not grow with the number of jobs.
  [[nodiscard]] long long statements() const noexcept;

 private:
  friend class StoreQueries;
  friend class Leases;
  friend class StoreTransfer;
  void migrate();
  /// Run `change` so that the revision grows in the same transaction.
  void changed(bool StoreSession::*revision, const std::function<void()>& change);
  std::unique_ptr<StoreSession> m_session;
};

}  // namespace vdk::control

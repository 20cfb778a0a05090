// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "vdk/control/service.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/http.hpp"
#include "vdk/target/target.hpp"

namespace vdk::control {

/// One entry of the administrator's dictionary of Python versions (VEP-1739).
struct PythonVersion {
  std::string version;  ///< "3.11", text
  std::string interpreter;
  std::string base_image;
  std::string vdk_image;
};

/// The supported versions: setting `supported_python_versions` (JSON or YAML file path, or inline JSON object
/// {"3.11": {"interpreter": ..., "baseImage": ..., "vdkImage": ...}}) when given, else what `discover` finds. Throws
/// Error(configuration) when the default is not among them.
struct PythonVersions {
  std::vector<PythonVersion> versions;  ///< in the order in which `info` lists them
  std::string default_version;          ///< empty = the first
};
[[nodiscard]] PythonVersions load_python_versions(const std::string& setting, const std::string& default_setting,
                                                  const std::function<std::vector<PythonVersion>()>& discover);

/// The dictionary as all parts of a running server share it; replaced as a whole on SIGHUP. Thread-safe.
class PythonCatalog {
 public:
  explicit PythonCatalog(PythonVersions versions = {});
  [[nodiscard]] std::shared_ptr<const PythonVersions> get() const;
  void replace(PythonVersions versions);

 private:
  mutable std::mutex m_mutex;
  std::shared_ptr<const PythonVersions> m_versions;
};

/// Where the service keeps its rows.
struct DatabaseOptions {
  std::string url;  ///< empty = SQLite in `home/control.db`; postgresql://[USER@]HOST[:PORT]/NAME[?option=value]
  std::string username;
  std::string password;  ///< never in argv, logs or messages
};

/// Where sources live.
struct SourceOptions {
  std::string url;  ///< empty = `home/sources.git`; a path = a bare repository that several servers may share; else a
                    ///< remote git address (https://, http://, ssh, file://) that is pushed to
  std::string branch = "main";
  std::string username;
  std::string password;
  std::string url_pattern = "/tree/%s/%s";  ///< after the address without .git: branch, job
};

/// Mails on deployments and execution results.
struct NotificationOptions {
  http::MailServer mail;  ///< an empty url switches all mails off
  std::string owner_email;
  std::string owner_name = "Versatile Data Kit";
  std::vector<std::string> cc;
};

struct SynchronizerOptions {
  bool enabled = true;
  std::chrono::seconds interval{60};
  std::chrono::seconds lease{30};    ///< a server that is gone this long loses the task
  std::chrono::minutes inspect{10};  ///< how often the runtime is compared with the database
  int workers = 2;                   ///< roll-outs at the same time
};

struct EmbeddedOptions {
  std::filesystem::path home;
  DatabaseOptions database;
  SourceOptions sources;
  std::shared_ptr<PythonCatalog> python = std::make_shared<PythonCatalog>();
  Resources default_resources;  ///< for deployments that ask for none
  NotificationOptions notifications;
  SynchronizerOptions synchronizer;
  int kept_executions = 100;
  std::chrono::hours kept_time{14 * 24};
  std::size_t max_unpacked = 2UL * 1024 * 1024 * 1024;  ///< bytes of an uploaded job after unpacking
  std::string logs_url;  ///< template with {execution_id} {job_name} {team_name} {op_id} {start_time} {end_time}
  bool logs_url_iso_times = false;  ///< times in it: ISO 8601 instead of milliseconds since 1970
  std::chrono::seconds logs_url_start_offset{0};
  std::chrono::seconds logs_url_end_offset{0};
  Caller caller;
};

/// The service in this process: database, git sources, roll-out through `target`. Creates `home` (0700) when missing.
/// Several processes may use one home at once. One object is for one thread.
[[nodiscard]] std::unique_ptr<Service> open_embedded(EmbeddedOptions options, std::unique_ptr<target::Target> target,
                                                     std::shared_ptr<const Clock> clock);

/// A Target of its own for each thread that needs one.
using MakeTarget = std::function<std::unique_ptr<target::Target>()>;

/// The background tasks of `vdk server`: synchronizer (under a lease in the database: one server of all that share the
/// database synchronizes), scheduler, execution monitor, cleanup, mails. Returns when `stop` turns true. `reload` turns
/// true when the Python versions were replaced; the tasks set it back. Error(conflict) when another server runs on this
/// home and the database is SQLite.
void serve_embedded(EmbeddedOptions options, const MakeTarget& make_target, std::shared_ptr<const Clock> clock,
                    const std::atomic<bool>& stop, std::atomic<bool>& reload);
/// True while a server runs on this home.
[[nodiscard]] bool server_is_running(const std::filesystem::path& home);

/// One finding of fsck.
struct Finding {
  std::string subject;  ///< job, execution or table
  std::string problem;
  bool repaired = false;
};
/// Compare database, sources and runtime with each other and with themselves; `repair` mends what has one right answer.
[[nodiscard]] std::vector<Finding> fsck(const EmbeddedOptions& options, target::Target& target, const Clock& clock,
                                        bool repair);

/// A consistent copy of database and sources into the empty or missing folder `directory`, while servers run: for
/// SQLite control.db, for PostgreSQL a SQLite file of the same tables; sources.git; the secrets' key only when asked.
void backup(const EmbeddedOptions& options, const std::filesystem::path& directory, bool with_key);

/// Make the runtime as the database wants it: every desired deployment is rolled out again whatever the runtime and the
/// actual rows say. `from` is a folder of `backup` to be loaded first into an empty service, or empty. Returns the jobs
/// that could not be restored, with their reasons.
[[nodiscard]] std::vector<Finding> restore(const EmbeddedOptions& options, target::Target& target, const Clock& clock,
                                           const std::filesystem::path& from, const Progress& progress);

}  // namespace vdk::control

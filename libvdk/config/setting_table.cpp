// SPDX-License-Identifier: Apache-2.0
// The one place where settings are declared. Rules for `bare_environment` (reading KEY besides VDK_KEY, as the original
// does for every key): only where the name can hardly mean anything else. Names that other programs or people use for
// their own things (team, python, python_version, working_dir, package_name, syslog_*, notification_*, api_token ...)
// are read as VDK_KEY only.
#include <algorithm>

#include "vdk/config/settings.hpp"

namespace vdk::config {
namespace {

constexpr bool bare = true;
constexpr SettingType text = SettingType::text;
constexpr SettingType boolean = SettingType::boolean;
constexpr SettingType integer = SettingType::integer;
constexpr SettingType path = SettingType::path;
constexpr SettingType list = SettingType::list;

Setting setting(const char* name, SettingType type, const char* value, const char* help,
                bool bare_environment = false) {
  return {name, type, value, help, false, bare_environment};
}

/// A key of the original that jobs may carry: it is typed and explained, and says itself that nothing reads it.
Setting inert(const char* name, SettingType type, const char* value, const char* help, bool bare_environment = false) {
  Setting made = setting(name, type, value, help, bare_environment);
  made.help += " Accepted, without effect in this version.";
  return made;
}

Setting secret(const char* name, const char* help) { return {name, text, "", help, true, false}; }

std::vector<Setting> run_settings() {
  return {
      setting("attempt_id", text, "", "Id of this attempt; made from the execution id when empty.", bare),
      setting("db_default_type", text, "",
              "Database that SQL steps and execute_query use, e.g. SQLITE. Without it the "
              "only one that is configured, else SQLite.",
              bare),
      setting("execution_id", text, "", "Id of the execution; made from the attempt id when empty.", bare),
      inert("execution_skip_checker_enabled", boolean, "true",
            "Skip a run in the cloud while another execution of the "
            "job is running.",
            bare),
      inert("job_githash", text, "unknown", "Version of the job's source, for logs.", bare),
      setting("job_run_summary_file_path", path, "", "File that receives the result of a run as JSON.", bare),
      setting(
          "log_config", text, "LOCAL",
          "Where the run takes place: LOCAL, CLOUD or NONE. CLOUD gives log lines the original's full form, for who "
          "collects them.",
          bare),
      inert("log_exception_formatter", text, "pretty", "Shape of error texts in logs: pretty or plain."),
      setting("log_execution_result", boolean, "false", "Log the full result as JSON at the end of a run.", bare),
      setting("log_format", text, "", "Form of the log lines of a run: text or json, which is one object per line.",
              bare),
      setting("log_level_module", text, "", "Levels of single loggers of Python code: name=LEVEL;name2=LEVEL.", bare),
      setting("log_level_vdk", text, "INFO",
              "Level of vdk's own log lines and the job's: DEBUG, INFO, WARNING, ERROR or CRITICAL.", bare),
      inert("log_stack_trace_on_exit", boolean, "false", "Print the stack trace again when a run fails.", bare),
      setting("logging_format", text, "",
              "What vdk-structlog and vdk-logging-format call log_format: console, text or json.", bare),
      inert("monitoring_enabled", boolean, "false", "Kept for jobs that set it; has no effect."),
      setting("op_id", text, "",
              "Id of the operation that started the run; the execution id when empty. Only VDK_OP_ID "
              "is read from the environment, because OP_ID is a common name."),
      setting("python", path, "", "Interpreter for the Python steps of `vdk run`; else python3 on PATH."),
      setting("python_plugins", boolean, "true",
              "Load the plugins of the original that are installed beside the job's Python."),
      setting(
          "run_progress", boolean, "true",
          "Show on a terminal which step runs. What steps print then comes through a terminal of vdk's own; programs "
          "that draw on the whole screen may need false."),
      setting(
          "run_snapshot_limit_mb", integer, "256",
          "How large the saved state behind one step may be, in megabytes. What is larger is not saved, and the step "
          "runs again."),
      setting("run_state_enabled", boolean, "true",
              "Remember what a run did, for --changed, --from-failed, --from, --only and --plan."),
      setting("state_dir", path, "",
              "Folder for what is remembered of runs; .vdk of the job folder when it is there, else vdk/runs in "
              "XDG_STATE_HOME or ~/.local/state."),
      setting("team", text, "",
              "Team that owns the job. Only VDK_TEAM is read from the environment, because TEAM is a "
              "common name."),
      setting("temporary_write_directory", path, "", "Folder for temporary files of a job; the system's when empty.",
              bare),
      setting("termination_message_writer_enabled", boolean, "true", "Write the termination message at the end.", bare),
      setting("termination_message_writer_output_file", path, "/dev/termination-log",
              "File that receives the termination message.", bare),
      inert("working_dir", path, ".", "Kept for jobs that read it; steps run in the caller's folder."),
  };
}

std::vector<Setting> data_settings() {
  return {
      setting("ingest_method_default", text, "",
              "Ingestion method when a step names none: sqlite, file, http, postgres or s3.", bare),
      setting("ingest_payload_postprocess_sequence", list, "",
              "Methods of Python plugins that see each batch of rows after it is sent.", bare),
      setting("ingest_payload_preprocess_sequence", list, "",
              "Methods of Python plugins that may change each batch of rows before it is sent.", bare),
      secret("ingest_s3_access_key", "Key for the `s3` ingestion method; AWS_ACCESS_KEY_ID when empty."),
      setting(
          "ingest_s3_endpoint", text, "",
          "Address of the S3-compatible storage; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else Amazon's, when empty."),
      setting("ingest_s3_format", text, "jsonl", "What ingested objects hold: jsonl (JSON lines) or csv."),
      setting("ingest_s3_insecure", boolean, "false", "Send rows over http without encryption to another machine."),
      setting("ingest_s3_path_style", boolean, "false",
              "Name the bucket in the path of the address, as many storages want it; always so for numeric addresses, "
              "localhost and buckets with dots."),
      setting("ingest_s3_region", text, "",
              "Region that requests are signed for; AWS_REGION or AWS_DEFAULT_REGION, else us-east-1, when empty."),
      secret("ingest_s3_secret_key",
             "Secret key that belongs to ingest_s3_access_key; AWS_SECRET_ACCESS_KEY when empty."),
      secret("ingest_s3_session_token", "Token of temporary keys; AWS_SESSION_TOKEN when empty."),
      setting("ingest_target_default", text, "", "Ingestion target when a step names none.", bare),
      inert("ingester_log_upload_errors", boolean, "true", "Log each payload that could not be written.", bare),
      inert("ingester_number_of_worker_threads", integer, "10", "Read for compatibility: vdk writes with one writer.",
            bare),
      inert("ingester_objects_queue_size", integer, "10000", "Rows that may wait before a step is held back.", bare),
      setting(
          "ingester_payload_size_bytes_threshold", integer, "512000",
          "Largest size of a batch that goes to an address (http) or to a plugin, in bytes, as the original measures.",
          bare),
      inert("ingester_payloads_queue_size", integer, "50", "Batches that may wait before a step is held back.", bare),
      setting("ingester_should_raise_exception_on_failure", boolean, "true",
              "Fail the step whose rows could not be written.", bare),
      setting("ingester_wait_to_finish_after_every_send", boolean, "false",
              "Write the rows of a call before the call returns.", bare),
      inert("ingestion_payload_aggregator_timeout_seconds", integer, "2",
            "Longest time that rows wait for a fuller batch.", bare),
      setting("fs_properties_directory", path, "",
              "Folder of the file of fs-properties-client; the temporary folder when empty.", bare),
      setting("fs_properties_filename", text, "vdk_data_jobs.json", "Name of the file of fs-properties-client.", bare),
      setting("postgres_dbname", text, "",
              "PostgreSQL database of SQL steps, queries and the ingestion method postgres.", bare),
      {"postgres_dsn", text, "", "Connection string of PostgreSQL; the other postgres_ settings win over it.", true,
       bare},
      setting("postgres_host", text, "", "Host of PostgreSQL, or the folder of its socket.", bare),
      {"postgres_password", text, "", "Password for PostgreSQL.", true, bare},
      setting("postgres_port", text, "", "Port of PostgreSQL.", bare),
      setting("postgres_user", text, "", "User of PostgreSQL.", bare),
      setting("properties_default_type", text, "",
              "Where properties live: default (the control service), memory, fs-properties-client or a plugin's kind; "
              "default when empty.",
              bare),
      setting("properties_write_preprocess_sequence", list, "", "Plugins that may change properties before storing.",
              bare),
      setting("secrets_default_type", text, "",
              "Where secrets live: default (the control service), memory or a plugin's kind; default when empty.",
              bare),
      setting("secrets_write_preprocess_sequence", list, "", "Plugins that may change secrets before storing.", bare),
      setting("sqlite_file", path, "", "SQLite database file; vdk-sqlite.db in the temporary folder when empty.", bare),
      setting("sqlite_ingest_auto_create_table_enabled", boolean, "true",
              "Create a missing table from the first batch of rows.", bare),
  };
}

std::vector<Setting> control_settings() {
  return {
      secret("api_token", "OAuth2 API token for the control service. Only VDK_API_TOKEN is read from the environment."),
      setting("api_token_authorization_url", text, "", "Address at which the API token is exchanged."),
      setting("control_http_ca_file", path, "",
              "File of the certificate authorities to trust; SSL_CERT_FILE or the system's when empty."),
      setting("control_http_connect_retries", integer, "6",
              "How often to try again to connect to the control service."),
      setting("control_http_connect_timeout_seconds", integer, "30", "Time to connect to the control service."),
      inert("control_http_connection_pool_maxsize", integer, "2", "Connections kept open to the control service."),
      setting("control_http_read_retries", integer, "6",
              "How often to try again when an answer of the control service breaks off."),
      setting("control_http_read_timeout_seconds", integer, "900",
              "Longest time of one request to the control service."),
      setting("control_http_total_retries", integer, "10", "How often to try a request again, whatever fails."),
      setting("control_http_verify_ssl", boolean, "true", "Verify the certificate of the control service."),
      setting("control_sample_job_directory", path, "",
              "Folder whose files `vdk create` copies instead of its sample."),
      setting("control_service_home", path, "",
              "Folder of the embedded control service; vdk in the XDG data folder when "
              "empty."),
      setting("control_service_rest_api_url", text, "", "Address of a control service; empty = the embedded one."),
      setting("control_service_user_agent", text, "",
              "User agent sent to the control service; vdk and its version when empty."),
      setting("default_python_version", text, "", "Python version of jobs that ask for none; else that of python3."),
      inert("package_name", text, "vdk-core", "Read for compatibility: vdk looks for no new versions of itself."),
      setting("supported_python_versions", text, "",
              "Python versions jobs may ask for: 3.11=/usr/bin/python3.11;pypy=... "
              "or a JSON object; those found on PATH when empty."),
      inert("team_client_id", text, "", "OAuth2 client id of the team."),
      secret("team_client_secret", "OAuth2 client secret of the team. Accepted, without effect in this version."),
      inert("team_oauth_authorize_url", text, "", "Address at which the team's client is authorised."),
      inert("version_check_disabled", boolean, "true",
            "Read for compatibility: vdk looks for no new versions of itself."),
      inert("version_check_plugins", boolean, "false", "Read for compatibility: vdk looks for no new versions."),
  };
}

std::vector<Setting> reporting_settings() {
  return {
      inert("notification_cc_list", list, "", "Addresses that get a copy of every notification."),
      inert("notification_enabled", boolean, "false", "Send mail at the end of a local run."),
      inert("notification_job_log_url_pattern", text, "", "Address of the logs in mails."),
      inert("notification_sender", text, "", "Sender of mails."),
      inert("notification_smtp_host", text, "", "Mail server."),
      inert("notification_smtp_login_enabled", boolean, "false", "Log in at the mail server."),
      secret("notification_smtp_login_password",
             "Password at the mail server. Accepted, without effect in this version."),
      inert("notification_smtp_login_username", text, "", "Name at the mail server."),
      inert("notification_smtp_port", integer, "25", "Port of the mail server."),
      inert("notification_smtp_use_tls", boolean, "true", "Encrypt the connection to the mail server."),
      inert("syslog_enabled", boolean, "false", "Send log lines to a syslog server too."),
      inert("syslog_port", integer, "514", "Port of the syslog server."),
      inert("syslog_sock_type", text, "UDP", "How to reach the syslog server: UDP or TCP."),
      inert("syslog_url", text, "localhost", "Host of the syslog server."),
  };
}

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  for (const auto& group : {run_settings(), data_settings(), control_settings(), reporting_settings()}) {
    table.insert(table.end(), group.begin(), group.end());
  }
  std::sort(table.begin(), table.end(), [](const Setting& a, const Setting& b) { return a.name < b.name; });
  return table;
}

}  // namespace

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view name) {
  const auto& table = all_settings();
  const auto at =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const Setting& setting, std::string_view wanted) { return setting.name < wanted; });
  return at != table.end() && at->name == name ? &*at : nullptr;
}

}  // namespace vdk::config

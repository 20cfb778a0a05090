// SPDX-License-Identifier: Apache-2.0
// The one table of the server's keys; names are those of the original's Helm chart where it has them.
#include "control/server/config_keys.hpp"

#include <algorithm>

#include "control/server/config_values.hpp"
#include "vdk/config/ini.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

namespace fs = std::filesystem;
using Text = const std::string&;

Verdict not_in_this_version(Text feature, Text hint) { return Mistake{feature + " is not in this version", hint}; }

Verdict set_text(std::string& target, Text text) {
  target = text;
  return std::nullopt;
}

template <typename Target>
Verdict set_number(Target& target, Text text, long long least, long long most) {
  long long value = 0;
  if (auto mistake = read_number(value, text, least, most)) {
    return mistake;
  }
  target = static_cast<Target>(value);
  return std::nullopt;
}

template <typename Duration>
Verdict set_duration(Duration& target, Text text, long long least, long long most) {
  long long value = 0;
  if (auto mistake = read_number(value, text, least, most)) {
    return mistake;
  }
  target = Duration(value);
  return std::nullopt;
}

Verdict set_size(std::size_t& target, Text text, std::size_t least) {
  const auto value = parse_size(text);
  if (!value || *value < least) {
    return Mistake{"'" + text + "' is not a size of at least " + std::to_string(least) + " bytes",
                   "write a number with a unit, such as 8KB, 256MB or 2GB"};
  }
  target = *value;
  return std::nullopt;
}

Verdict set_cpu(std::optional<double>& target, Text text) {
  target = parse_cpu(text);
  return target ? Verdict() : Mistake{"'" + text + "' is no CPU quantity", "write cores such as 2, 0.5 or 500m"};
}

Verdict set_memory(std::optional<int>& target, Text text) {
  target = parse_memory(text);
  return target ? Verdict()
                : Mistake{"'" + text + "' is no amount of memory of at least 1Mi", "write for example 1G or 1000Mi"};
}

Verdict set_email(std::string& target, Text text) {
  const auto at = text.find('@');
  if (at == 0 || at == std::string::npos || at + 1 == text.size() ||
      text.find_first_of(" \t\r\n,;<>") != std::string::npos) {
    return Mistake{"'" + text + "' is no mail address", "write a bare address such as data@example.com"};
  }
  target = text;
  return std::nullopt;
}

Verdict set_emails(std::vector<std::string>& target, Text text) {
  target.clear();
  for (const std::string& part : text::split(text::replace_all(text, ";", ","), ',')) {
    const std::string address(text::trim(part));
    std::string checked;
    if (address.empty()) {
      continue;
    }
    if (auto mistake = set_email(checked, address)) {
      return mistake;
    }
    target.push_back(checked);
  }
  return std::nullopt;
}

/// The chart leaves https:// out.
Verdict set_git_url(Draft& draft, Text text) {
  const bool address = text.find("://") != std::string::npos;
  const auto colon = text.find(':');
  const auto slash = text.find('/');
  const bool ssh_short = colon != std::string::npos && (slash == std::string::npos || colon < slash);
  if (address || ssh_short) {
    draft.config.embedded.sources.url = text;
  } else if (text.starts_with("/") || text.starts_with(".") || text.starts_with("~")) {
    draft.config.embedded.sources.url = draft_path(draft, text).string();
  } else if (slash == std::string::npos) {
    return Mistake{"'" + mask_secrets(text) + "' is neither an address nor a path",
                   "write HOST/PATH.git, https://HOST/PATH.git, or the absolute path of a bare repository"};
  } else {
    draft.config.embedded.sources.url = "https://" + text;
  }
  return std::nullopt;
}

Verdict set_url_pattern(Draft& draft, Text text) {
  const auto first = text.find("%s");
  const auto second = first == std::string::npos ? first : text.find("%s", first + 2);
  if (second == std::string::npos || text.find("%s", second + 2) != std::string::npos) {
    return Mistake{"'" + text + "' does not have %s twice, for the branch and the job",
                   "write for example /tree/%s/%s"};
  }
  draft.config.embedded.sources.url_pattern = text;
  return std::nullopt;
}

/// {{name}} of the chart and {name} mean the same.
Verdict set_logs_url(Draft& draft, Text text) {
  static const std::vector<std::string> known = {"execution_id", "op_id",      "job_name",
                                                 "team_name",    "start_time", "end_time"};
  const std::string single = text::replace_all(text::replace_all(text, "{{", "{"), "}}", "}");
  for (auto at = single.find('{'); at != std::string::npos; at = single.find('{', at + 1)) {
    const std::string name = single.substr(at + 1, single.find('}', at) - at - 1);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto near = text::nearest(name, known);
      return Mistake{"there is no variable {{" + name + "}}",
                     near ? "did you mean {{" + *near + "}}?" : "it may have " + text::quoted_list(known)};
    }
  }
  draft.config.embedded.logs_url = single;
  return std::nullopt;
}

Verdict set_vdk_options(Draft& draft, Text text) {
  const bool is_path = text.find('\n') == std::string::npos && text.find('[') == std::string::npos;
  const fs::path path = draft_path(draft, text);
  std::string content = text;
  if (is_path) {
    const auto read = files::read_if_exists(path);
    if (!read) {
      return Mistake{"the file '" + path.string() + "' cannot be read",
                     "write the options inline with `vdkOptions: |`, or correct the name"};
    }
    content = *read;
  }
  try {
    const auto ini = config::IniFile::parse(content, is_path ? path.string() : "vdkOptions");
    draft.config.vdk_options.clear();
    for (const std::string& section : ini.sections()) {
      for (const std::string& key : ini.keys(section)) {
        draft.config.vdk_options[section][text::upper(key)] = ini.get(section, key).value_or("");
      }
    }
  } catch (const Error& error) {
    const std::size_t line = error.location() ? error.location()->line : 0;
    return Mistake{"line " + std::to_string(line) + " of the options is not in ini format: " + error.text().why,
                   "write [default] or [JOB] and lines such as VDK_NAME=value below it"};
  }
  return std::nullopt;
}

Verdict set_date_format(Draft& draft, Text text) {
  const std::string format = text::lower(text);
  if (format != "unix" && format != "iso") {
    return Mistake{"'" + text + "' is neither unix nor iso", "write unix (milliseconds) or iso"};
  }
  draft.config.embedded.logs_url_iso_times = format == "iso";
  return std::nullopt;
}

Verdict set_interval(Draft& draft, Text text, bool inspection) {
  constexpr long long second = 1000;
  constexpr long long day = 86'400'000;
  constexpr long long minute = 60'000;
  long long value = 0;
  if (auto mistake = read_number(value, text, inspection ? minute : second, day)) {
    return mistake;
  }
  auto& options = draft.config.embedded.synchronizer;
  if (inspection) {
    options.inspect = std::chrono::minutes((value + minute - 1) / minute);
  } else {
    options.interval = std::chrono::seconds((value + second - 1) / second);
  }
  return std::nullopt;
}

Verdict set_kept_time(Draft& draft, Text text) {
  constexpr long long hour = 3600;
  constexpr long long century = 3'153'600'000;
  long long seconds = 0;
  if (auto mistake = read_number(seconds, text, 1, century)) {
    return mistake;
  }
  draft.config.embedded.kept_time = std::chrono::hours((seconds + hour - 1) / hour);
  return std::nullopt;
}

Verdict set_protocol(Draft& draft, Text text) {
  if (text != "smtp" && text != "smtps") {
    return Mistake{"'" + text + "' is neither smtp nor smtps", "write smtp or smtps"};
  }
  return set_text(draft.mail_protocol, text);
}

Verdict only_false(Text text, Text feature) {
  bool value = false;
  if (auto mistake = set_bool(value, text)) {
    return mistake;
  }
  return value ? not_in_this_version(feature, "set it to false") : Verdict();
}

Verdict no_webhook(Draft&, Text) {
  return not_in_this_version("OAuth applications of teams", "remove the address; they are not made");
}

Verdict no_upload_lists(Draft&, Text) {
  return not_in_this_version("restricting the files of an upload", "remove the list");
}

constexpr long long k_most_seconds = 86'400;
constexpr long long k_most_count = 100'000;

using Specs = std::vector<KeySpec>;

Specs server_specs() {
  return {
      spec("home", "~/.local/share/vdk", "Folder of sources, deployments, environments and executions.",
           [](Draft& d, Text t) {
             d.config.embedded.home = draft_path(d, t);
             return Verdict();
           }),
      spec("service.host", "127.0.0.1", "Address to listen on; 0.0.0.0 for all.",
           [](Draft& d, Text t) { return set_text(d.config.rest.host, t); }),
      spec("service.internalPort", "8092", "Port to listen on; 0 = any free one.",
           [](Draft& d, Text t) { return set_number(d.config.rest.port, t, 0, 65535); }),
      spec("server.maxHttpHeaderSize", "8KB", "All headers of one request; 431 above.",
           [](Draft& d, Text t) { return set_size(d.config.rest.limits.max_header, t, 1024); }),
      spec("server.maxRequestSize", "256MB", "Body of one request; 413 above.",
           [](Draft& d, Text t) { return set_size(d.config.rest.limits.max_body, t, 1024); }),
      spec("server.maxUnpackedJobSize", "2GB", "An uploaded job after unpacking.",
           [](Draft& d, Text t) { return set_size(d.config.embedded.max_unpacked, t, 1024); }),
      spec("server.maxConcurrentRequests", "64", "Requests at work at once; 503 with Retry-After above.",
           [](Draft& d, Text t) {
             return set_number(d.config.rest.limits.max_concurrent_requests, t, 1, k_most_count);
           }),
      spec("server.maxConnections", "1024", "Open connections.",
           [](Draft& d, Text t) { return set_number(d.config.rest.limits.max_connections, t, 1, k_most_count); }),
      spec("server.headerTimeoutSeconds", "10", "Until the whole header has come; 408 after.",
           [](Draft& d, Text t) { return set_duration(d.config.rest.limits.header_timeout, t, 1, k_most_seconds); }),
      spec("server.bodyTimeoutSeconds", "300", "Until the whole body has come; 408 after.",
           [](Draft& d, Text t) { return set_duration(d.config.rest.limits.body_timeout, t, 1, k_most_seconds); }),
      spec("server.keepAliveSeconds", "15", "An idle connection is closed after this time.",
           [](Draft& d, Text t) { return set_duration(d.config.rest.limits.keep_alive, t, 1, k_most_seconds); }),
  };
}

Specs python_specs() {
  return {
      spec("supportedPythonVersions", "the Pythons found on PATH",
           "Dictionary: version -> interpreter, baseImage, vdkImage. Read again on SIGHUP.", nullptr,
           "deploymentSupportedPythonVersions"),
      spec(
          "defaultPythonVersion", "the first one", "For jobs that ask for none. Read again on SIGHUP.",
          [](Draft& d, Text t) { return set_text(d.config.default_python_version, t); },
          "deploymentDefaultPythonVersion"),
  };
}

Specs database_specs() {
  return {
      spec("database.url", "SQLite in the home folder", "postgresql://HOST:PORT/NAME; options as ?sslmode=require.",
           [](Draft& d, Text t) { return set_text(d.database_url, t); }),
      spec("database.jdbcUrl", "", "The same as the chart writes it: jdbc:postgresql://HOST:PORT/NAME.",
           [](Draft& d, Text t) { return set_text(d.database_jdbc_url, t); }),
      spec("database.username", "", "User of the database.",
           [](Draft& d, Text t) { return set_text(d.config.embedded.database.username, t); }),
      secret_spec("database.password", "Password of the database.",
                  [](Draft& d, Text t) { return set_text(d.config.embedded.database.password, t); }),
      spec("database.passwordFile", "", "File that holds the password.",
           [](Draft& d, Text t) { return set_from_file(d, d.config.embedded.database.password, t); }),
  };
}

Specs source_specs() {
  return {
      spec("deploymentGitUrl", "a repository in the home folder",
           "Repository of the jobs' sources: HOST/PATH.git (https), an address, or the path of a bare repository.",
           set_git_url),
      spec("deploymentGitBranch", "main", "Branch of the sources.",
           [](Draft& d, Text t) { return set_text(d.config.embedded.sources.branch, t); }),
      spec("deploymentGitUrlPattern", "/tree/%s/%s", "Appended to the address for people: branch, job.",
           set_url_pattern),
      spec("deploymentGitUsername", "", "User of the repository, when there is none with write access.",
           [](Draft& d, Text t) { return set_text(d.git_user, t); }),
      secret_spec("deploymentGitPassword", "Password or token of that user.",
                  [](Draft& d, Text t) { return set_text(d.git_password, t); }),
      spec("deploymentGitPasswordFile", "", "File that holds it.",
           [](Draft& d, Text t) { return set_from_file(d, d.git_password, t); }),
      spec("uploadGitReadWriteUsername", "", "User with write access to the repository.",
           [](Draft& d, Text t) { return set_text(d.upload_user, t); }),
      secret_spec("uploadGitReadWritePassword", "Password or token of that user.",
                  [](Draft& d, Text t) { return set_text(d.upload_password, t); }),
      spec("uploadGitReadWritePasswordFile", "", "File that holds it.",
           [](Draft& d, Text t) { return set_from_file(d, d.upload_password, t); }),
  };
}

Specs resource_specs() {
  return {
      spec("deploymentDefaultDataJobsResources.requests.cpu", "none", "For deployments that ask for none: 500m, 2.",
           [](Draft& d, Text t) { return set_cpu(d.config.embedded.default_resources.cpu_request, t); }),
      spec("deploymentDefaultDataJobsResources.requests.memory", "none", "The same for memory: 1G, 1000Mi.",
           [](Draft& d, Text t) { return set_memory(d.config.embedded.default_resources.memory_request, t); }),
      spec("deploymentDefaultDataJobsResources.limits.cpu", "none", "Limit of CPU.",
           [](Draft& d, Text t) { return set_cpu(d.config.embedded.default_resources.cpu_limit, t); }),
      spec("deploymentDefaultDataJobsResources.limits.memory", "none", "Limit of memory.",
           [](Draft& d, Text t) { return set_memory(d.config.embedded.default_resources.memory_limit, t); }),
      spec("vdkOptions", "", "ini text or file: [default] and [JOB] sections of VDK_... variables for executions.",
           set_vdk_options),
  };
}

Specs mail_specs() {
  return {
      spec("notificationOwnerEmail", "", "Sender of notification mails.",
           [](Draft& d, Text t) { return set_email(d.config.embedded.notifications.owner_email, t); }),
      spec("notificationOwnerName", "Versatile Data Kit", "Name of the sender.",
           [](Draft& d, Text t) { return set_text(d.config.embedded.notifications.owner_name, t); }),
      spec("notificationCcEmails", "", "Addresses that get a copy of every mail, separated by commas.",
           [](Draft& d, Text t) { return set_emails(d.config.embedded.notifications.cc, t); }),
      spec("mail.smtp.host", "", "Mail server; empty switches mails off.",
           [](Draft& d, Text t) { return set_text(d.mail_host, t); }),
      spec("mail.smtp.port", "587", "Its port.", [](Draft& d, Text t) { return set_number(d.mail_port, t, 1, 65535); }),
      spec("mail.smtp.auth", "false", "Log in with user and password.",
           [](Draft& d, Text t) { return set_bool(d.mail_login, t); }),
      spec("mail.smtp.user", "", "User of the mail server.",
           [](Draft& d, Text t) { return set_text(d.config.embedded.notifications.mail.username, t); }),
      secret_spec("mail.smtp.password", "Password of the mail server.",
                  [](Draft& d, Text t) { return set_text(d.config.embedded.notifications.mail.password, t); }),
      spec("mail.smtp.passwordFile", "", "File that holds it.",
           [](Draft& d, Text t) { return set_from_file(d, d.config.embedded.notifications.mail.password, t); }),
      spec("mail.smtp.starttls.enable", "false", "The connection must become encrypted (STARTTLS).",
           [](Draft& d, Text t) { return set_bool(d.config.embedded.notifications.mail.require_tls, t); }),
      spec("mail.transport.protocol", "smtp", "smtp, or smtps for a connection that is encrypted from the start.",
           set_protocol),
  };
}

Specs job_specs() {
  return {
      spec("dataJob.executions.cleanupTask.maximumExecutionsToStore", "100", "Finished executions kept for each job.",
           [](Draft& d, Text t) { return set_number(d.config.embedded.kept_executions, t, 1, k_most_count); }),
      spec("dataJob.executions.cleanupTask.executionsTtlSeconds", "1209600",
           "Older executions are removed; rounded up to hours.", set_kept_time),
      spec("dataJob.executions.logsUrl.urlTemplate", "",
           "Address of an execution's log: {{execution_id}}, {{op_id}}, {{job_name}}, {{team_name}}, {{start_time}}, "
           "{{end_time}}.",
           set_logs_url),
      spec("dataJob.executions.logsUrl.dateFormat", "unix", "Times in it: unix (milliseconds) or iso.",
           set_date_format),
      spec("dataJob.executions.logsUrl.startTimeOffsetSeconds", "0", "Added to {{start_time}}; may be negative.",
           [](Draft& d, Text t) {
             return set_duration(d.config.embedded.logs_url_start_offset, t, -31'536'000, 31'536'000);
           }),
      spec("dataJob.executions.logsUrl.endTimeOffsetSeconds", "0", "Added to {{end_time}}; may be negative.",
           [](Draft& d, Text t) {
             return set_duration(d.config.embedded.logs_url_end_offset, t, -31'536'000, 31'536'000);
           }),
      spec("dataJob.deployment.configuration.synchronizationTask.enabled", "true",
           "false: this server rolls nothing out. Ignored where the chart's persistence.writeTos has no DB.",
           [](Draft& d, Text t) { return set_bool(d.synchronize, t); }),
      spec("dataJob.deployment.configuration.synchronizationTask.intervalMs", "60000",
           "Between two comparisons of wanted and actual deployments; changes are seen within a second anyway.",
           [](Draft& d, Text t) { return set_interval(d, t, false); }),
      spec("dataJob.deployment.configuration.synchronizationTask.inspectionIntervalMs", "600000",
           "Between two comparisons of the database with the runtime.",
           [](Draft& d, Text t) { return set_interval(d, t, true); }),
      spec("dataJob.deployment.configuration.synchronizationTask.corePoolSize", "2", "Roll-outs at the same time.",
           [](Draft& d, Text t) { return set_number(d.config.embedded.synchronizer.workers, t, 1, 64); }),
      spec("dataJob.deployment.configuration.synchronizationTask.leaseSeconds", "30",
           "A server that is gone this long loses the task to another one.",
           [](Draft& d, Text t) { return set_duration(d.config.embedded.synchronizer.lease, t, 3, k_most_seconds); }),
      spec("dataJob.deployment.configuration.persistence.writeTos", "DB",
           "The database is always written and is the truth; K8S is accepted and means the same.",
           [](Draft& d, Text t) {
             d.writes_database = text::upper(t).find("DB") != std::string::npos;
             return Verdict();
           }),
  };
}

Specs refused_specs() {
  return {
      spec("credentials.repository", "EMPTY", "Only EMPTY in this version: no Kerberos keys are made for jobs.",
           [](Draft&, Text t) {
             return t == "EMPTY" ? Verdict()
                                 : not_in_this_version("the credentials repository '" + t + "'", "write EMPTY");
           }),
      spec("security.kerberos.enabled", "false", "Only false in this version.",
           [](Draft&, Text t) { return only_false(t, "Kerberos login"); }),
      spec("secrets.vault.enabled", "false", "Only false: secrets are kept encrypted in the database.",
           [](Draft&, Text t) { return only_false(t, "keeping secrets in Vault"); }),
      spec("webHooks.createOAuthApp.webhookUri", "", "Only empty in this version.", no_webhook),
      spec("uploadValidationFileTypesAllowList", "", "Only empty in this version.", no_upload_lists),
      spec("uploadValidationFileExtensionsAllowList", "", "Only empty in this version.", no_upload_lists),
      spec("uploadValidationFileTypesFilterList", "", "Only empty in this version.", no_upload_lists),
      spec("uploadValidationFileExtensionsFilterList", "", "Only empty in this version.", no_upload_lists),
      spec("database.externalSecretName", "", "Only empty: use username and passwordFile.",
           [](Draft&, Text) {
             return not_in_this_version("reading a Kubernetes secret",
                                        "give database.username and database.passwordFile, or their variables");
           }),
  };
}

}  // namespace

KeySpec spec(std::string key, std::string default_value, std::string help, Verdict (*apply)(Draft&, Text),
             std::string alias, bool secret) {
  std::string environment = key == "home" ? "VDK_CONTROL_SERVICE_HOME" : environment_name(key);
  return {.key = {.key = std::move(key),
                  .environment = std::move(environment),
                  .default_value = std::move(default_value),
                  .help = std::move(help),
                  .secret = secret},
          .alias = std::move(alias),
          .apply = apply};
}

KeySpec secret_spec(std::string key, std::string help, Verdict (*apply)(Draft&, Text)) {
  return spec(std::move(key), "", std::move(help), apply, {}, true);
}

const std::vector<KeySpec>& key_specs() {
  static const Specs specs = [] {
    Specs all;
    for (Specs (*part)() : {server_specs, python_specs, database_specs, source_specs, resource_specs, mail_specs,
                            job_specs, security_specs, page_specs, connection_specs, refused_specs}) {
      Specs some = part();
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  }();
  return specs;
}

Verdict set_bool(bool& target, Text text) {
  const auto value = text::parse_bool(text);
  if (!value) {
    return Mistake{"'" + text + "' is neither true nor false", "write true or false"};
  }
  target = *value;
  return std::nullopt;
}

Verdict read_number(long long& target, Text text, long long least, long long most) {
  const auto value = text::parse_int(text);
  if (!value || *value < least || *value > most) {
    return Mistake{"'" + text + "' is not a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most)};
  }
  target = *value;
  return std::nullopt;
}

fs::path draft_path(const Draft& draft, Text text) {
  return (text.starts_with("~/") ? files::home_directory() / text.substr(2) : draft.base / text).lexically_normal();
}

Verdict set_from_file(const Draft& draft, std::string& target, Text text) {
  const fs::path path = draft_path(draft, text);
  const auto content = files::read_if_exists(path);
  if (!content) {
    return Mistake{"the file '" + path.string() + "' cannot be read", "make the file, or correct its name"};
  }
  target = content->substr(0, content->find_last_not_of("\r\n") + 1);
  std::error_code unknown;
  const auto others = fs::perms::group_read | fs::perms::others_read;
  if ((fs::status(path, unknown).permissions() & others) != fs::perms::none && !unknown) {
    return Mistake{"others can read the file '" + path.string() + "'", "chmod 600 " + path.string(), true};
  }
  return std::nullopt;
}

const KeySpec* find_spec(const std::string& key) {
  const auto& specs = key_specs();
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const KeySpec& one) {
    return one.key.key == key || (!one.alias.empty() && one.alias == key);
  });
  return found == specs.end() ? nullptr : &*found;
}

bool is_python_map(const std::string& key) {
  return key == "supportedPythonVersions" || key == "deploymentSupportedPythonVersions";
}

}  // namespace vdk::control::server_config

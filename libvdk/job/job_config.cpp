// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::job {
namespace {

using config::IniFile;
using config::IniValue;

using KnownKeys = std::map<std::string, std::vector<std::string>>;

const KnownKeys& known_keys() {
  static const KnownKeys keys = {
      {"owner", {"team"}},
      {"job", {"schedule_cron", "python_version", "db_default_type"}},
      {"contacts",
       {"notified_on_job_failure_user_error", "notified_on_job_failure_platform_error", "notified_on_job_success",
        "notified_on_job_deploy", "enable_execution_notifications", "enable_attempt_notifications",
        "notification_delay_period_minutes"}}};
  return keys;
}

std::string text_of(const IniFile& ini, const char* section, const char* key) {
  return std::string(text::trim(ini.get(section, key).value_or("")));
}

[[noreturn]] void refuse(const IniFile& ini, const char* key, const IniValue& value, const std::string& expected) {
  SourceLocation location = value.location;
  const std::size_t first_line = std::min(value.value.size(), value.value.find('\n'));
  location.length = std::max<std::size_t>(first_line, 1);
  throw Error(ErrorKind::configuration,
              {std::string("cannot use the value of '") + key + "' in '" + ini.file_name() + "'",
               "'" + value.value + "' is not " + expected + ".", "Nothing was run or deployed.",
               std::string("Correct the value, or remove the line to use the default.")},
              std::move(location));
}

bool read_bool(const IniFile& ini, const char* key, bool fallback) {
  const IniValue* value = ini.find("contacts", key);
  if (value == nullptr) {
    return fallback;
  }
  const auto parsed = text::parse_bool(text::trim(value->value));
  if (!parsed) {
    refuse(ini, key, *value, "true, false, yes, no, y, n, 1 or 0");
  }
  return *parsed;
}

int read_minutes(const IniFile& ini, const char* key, int fallback) {
  const IniValue* value = ini.find("contacts", key);
  if (value == nullptr) {
    return fallback;
  }
  const auto parsed = text::parse_int(text::trim(value->value));
  if (!parsed || *parsed <= 0 || *parsed > std::numeric_limits<int>::max()) {
    refuse(ini, key, *value, "a whole number above zero");
  }
  return static_cast<int>(*parsed);
}

std::vector<std::string> read_addresses(const IniFile& ini, const char* key) {
  std::vector<std::string> addresses;
  std::string all = text::replace_all(text_of(ini, "contacts", key), ";", ",");
  std::replace(all.begin(), all.end(), '\n', ',');
  for (const std::string& part : text::split(all, ',')) {
    const std::string_view address = text::trim(part);
    if (!address.empty()) {
      addresses.emplace_back(address);
    }
  }
  return addresses;
}

/// Where a key that is unknown in its own section would be right.
std::string other_section(const std::string& section, const std::string& key) {
  for (const auto& [name, keys] : known_keys()) {
    if (name != section && std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return ", it belongs into [" + name + "]";
    }
  }
  return "";
}

std::string place(const SourceLocation& location) { return location.file + ":" + std::to_string(location.line) + ": "; }

bool is_inherited(const IniFile& ini, const std::string& key, const IniValue& value) {
  const IniValue* inherited = ini.find("DEFAULT", key);
  return inherited != nullptr && inherited->location.line == value.location.line;
}

void warn_about_keys(const IniFile& ini, const std::string& section, const std::vector<std::string>& known,
                     std::vector<std::string>& warnings) {
  for (const std::string& key : ini.keys(section)) {
    const IniValue* value = ini.find(section, key);
    if (std::find(known.begin(), known.end(), key) != known.end() || is_inherited(ini, key, *value)) {
      continue;
    }
    std::string hint = other_section(section, key);
    if (const auto near = text::nearest(key, known); hint.empty() && near) {
      hint = ", did you mean '" + *near + "'?";
    }
    warnings.push_back(place(value->location) + "unknown key '" + key + "' in [" + section + "]" + hint);
  }
}

/// Sections of other names may belong to somebody's own code; only near misses are worth a word.
void warn_about_section(const IniFile& ini, const std::string& section, std::vector<std::string>& warnings) {
  const std::vector<std::string> names = {"owner", "job", "contacts", "vdk"};
  const bool known = std::find(names.begin(), names.end(), section) != names.end() || section.starts_with("vdk_");
  const auto near = known ? std::nullopt : text::nearest(text::lower(section), names);
  if (near) {
    const auto keys = ini.keys(section);
    const std::string where = keys.empty() ? ini.file_name() + ": " : place(ini.find(section, keys.front())->location);
    warnings.push_back(where + "unknown section [" + section + "], did you mean [" + *near + "]?");
  }
}

}  // namespace

JobConfig read_config(const IniFile& ini) {
  JobConfig result;
  result.team = text_of(ini, "owner", "team");
  result.schedule_cron = text_of(ini, "job", "schedule_cron");
  result.python_version = text_of(ini, "job", "python_version");
  result.db_default_type = text_of(ini, "job", "db_default_type");
  result.contacts.notified_on_job_failure_user_error = read_addresses(ini, "notified_on_job_failure_user_error");
  result.contacts.notified_on_job_failure_platform_error =
      read_addresses(ini, "notified_on_job_failure_platform_error");
  result.contacts.notified_on_job_success = read_addresses(ini, "notified_on_job_success");
  result.contacts.notified_on_job_deploy = read_addresses(ini, "notified_on_job_deploy");
  result.enable_execution_notifications = read_bool(ini, "enable_execution_notifications", true);
  result.enable_attempt_notifications = read_bool(ini, "enable_attempt_notifications", false);
  result.notification_delay_period_minutes = read_minutes(ini, "notification_delay_period_minutes", 240);
  for (const std::string& section : ini.sections()) {
    const auto known = known_keys().find(section);
    if (known != known_keys().end()) {
      warn_about_keys(ini, section, known->second, result.warnings);
    } else {
      warn_about_section(ini, section, result.warnings);
    }
  }
  return result;
}

}  // namespace vdk::job

// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "vdk/core/text.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace vdk::config {
namespace {

using Inputs = Settings::Inputs;

/// `.` and `-` of a key are `_` in the environment.
std::string normal(std::string_view name) {
  std::string key = text::lower(name);
  std::replace_if(
      key.begin(), key.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return key;
}

std::string ini_section(std::string_view section) { return section.empty() ? "vdk" : "vdk_" + std::string(section); }

/// Name of the section as it is written in the file, nothing when it has none.
std::optional<std::string> written_section(const IniFile& ini, std::string_view section) {
  const std::string wanted = normal(ini_section(section));
  for (const std::string& name : ini.sections()) {
    if (normal(name) == wanted) {
      return name;
    }
  }
  return std::nullopt;
}

Resolved from_ini(const IniValue& value, Origin origin) {
  return {value.value, origin, value.location.file + ":" + std::to_string(value.location.line), {}};
}

void add_if_found(std::vector<Resolved>& found, const IniValue* value, Origin origin) {
  if (value != nullptr) {
    found.push_back(from_ini(*value, origin));
  }
}

/// Keys of other sections that are settings too: the original's job configuration and the defaults it shares with us.
void add_aliases(std::vector<Resolved>& found, const IniFile& ini, const std::string& key, Origin origin) {
  if (origin == Origin::job && key == "team") {
    add_if_found(found, ini.find("owner", "team"), origin);
  } else if (origin == Origin::job && key == "db_default_type") {
    add_if_found(found, ini.find("job", "db_default_type"), origin);
  } else if (origin == Origin::user_defaults && key == "team") {
    add_if_found(found, ini.find("defaults", "team-name"), origin);
  } else if (origin == Origin::user_defaults && key == "control_service_rest_api_url") {
    add_if_found(found, ini.find("defaults", "rest-api-url"), origin);
  }
}

void add_ini(std::vector<Resolved>& found, const std::optional<IniFile>& ini, const std::string& key,
             std::string_view section, Origin origin) {
  if (!ini) {
    return;
  }
  if (const auto written = written_section(*ini, section)) {
    const IniValue* value = ini->find(*written, key);
    for (const std::string& other : ini->keys(*written)) {
      value = value == nullptr && normal(other) == key ? ini->find(*written, other) : value;
    }
    add_if_found(found, value, origin);
  }
  if (section.empty()) {
    add_aliases(found, *ini, key, origin);
  }
}

/// A variable in any case; the upper-case spelling wins over others.
void add_environment(std::vector<Resolved>& found, const std::map<std::string, std::string>& environment,
                     const std::string& upper_name) {
  const auto exact = environment.find(upper_name);
  if (exact != environment.end()) {
    found.push_back({exact->second, Origin::environment, exact->first, {}});
    return;
  }
  for (const auto& [name, value] : environment) {
    if (name.size() == upper_name.size() && text::upper(name) == upper_name) {
      found.push_back({value, Origin::environment, name, {}});
      return;
    }
  }
}

/// Everything that gives the setting a value, strongest first.
std::vector<Resolved> candidates(const Inputs& inputs, std::string_view name, std::string_view section) {
  const std::string key = normal(name);
  const Setting* declared = find_setting(key);
  std::vector<Resolved> found;
  if (section.empty()) {
    const auto flag = inputs.flags.find(key);
    if (flag != inputs.flags.end()) {
      found.push_back({flag->second, Origin::flag, "--" + text::replace_all(key, "_", "-"), {}});
    }
    add_environment(found, inputs.environment, "VDK_" + text::upper(key));
    if (declared != nullptr && declared->bare_environment) {
      add_environment(found, inputs.environment, text::upper(key));
    }
  } else {
    add_environment(found, inputs.environment, "VDK_" + text::upper(normal(section)) + "_" + text::upper(key));
  }
  add_ini(found, inputs.job_config, key, section, Origin::job);
  add_ini(found, inputs.user_defaults, key, section, Origin::user_defaults);
  found.push_back({declared == nullptr ? "" : declared->default_value, Origin::default_value, "default", {}});
  return found;
}

[[noreturn]] void refuse_type(const Settings& settings, std::string_view name, const std::string& expected) {
  const Resolved value = settings.explain(name);
  const Setting* declared = find_setting(normal(name));
  const bool hidden = declared != nullptr && declared->secret;
  throw Error(
      ErrorKind::configuration,
      {"cannot use the setting '" + std::string(name) + "'",
       (hidden ? "Its value" : "The value '" + value.value + "'") + " from " + value.source + " is not " + expected +
           ".",
       "The command did not start.",
       "Correct the value in " + value.source + ", or remove it to use the default" +
           (declared == nullptr || declared->default_value.empty() ? "" : " '" + declared->default_value + "'") + "."});
}

void collect_ini(std::set<std::string>& keys, const std::optional<IniFile>& ini, std::string_view section) {
  if (!ini) {
    return;
  }
  if (const auto written = written_section(*ini, section)) {
    for (const std::string& key : ini->keys(*written)) {
      keys.insert(normal(key));
    }
  }
}

/// Keys that the environment sets for a section; [vdk] takes what belongs to no other known section.
void collect_environment(std::set<std::string>& keys, const Inputs& inputs, std::string_view section,
                         const std::vector<std::string>& sections) {
  const std::string prefix = section.empty() ? "vdk_" : "vdk_" + normal(section) + "_";
  for (const auto& [name, value] : inputs.environment) {
    const std::string lowered = text::lower(name);
    if (!lowered.starts_with(prefix) || lowered.size() == prefix.size()) {
      continue;
    }
    const std::string key = lowered.substr(prefix.size());
    const bool elsewhere = section.empty() && find_setting(key) == nullptr &&
                           std::any_of(sections.begin(), sections.end(),
                                       [&](const std::string& other) { return key.starts_with(normal(other) + "_"); });
    if (!elsewhere) {
      keys.insert(key);
    }
  }
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return result;
}

std::optional<IniFile> load_if_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) ? std::optional(IniFile::load(path)) : std::nullopt;
}

}  // namespace

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::flag:
      return "flag";
    case Origin::environment:
      return "environment";
    case Origin::job:
      return "job";
    case Origin::user_defaults:
      return "user defaults";
    case Origin::default_value:
      break;
  }
  return "default";
}

Settings::Settings(Inputs inputs) : m_inputs(std::move(inputs)) {}

Settings Settings::from_process(const std::optional<std::filesystem::path>& job_directory,
                                std::map<std::string, std::string> flags) {
  Inputs inputs;
  inputs.flags = std::move(flags);
  inputs.environment = process_environment();
  inputs.user_defaults = load_if_exists(user_defaults_file());
  if (job_directory) {
    inputs.job_config = load_if_exists(*job_directory / "config.ini");
  }
  return Settings(std::move(inputs));
}

std::string Settings::get(std::string_view name, std::string_view section) const {
  return candidates(m_inputs, name, section).front().value;
}

bool Settings::get_bool(std::string_view name) const {
  const std::string value = get(name);
  const auto parsed = value.empty() ? std::optional(false) : text::parse_bool(value);
  if (!parsed) {
    refuse_type(*this, name, "a truth value (true, false, yes, no, 1 or 0)");
  }
  return *parsed;
}

long long Settings::get_int(std::string_view name) const {
  const std::string value = get(name);
  const auto parsed = text::parse_int(text::trim(value));
  if (!parsed) {
    refuse_type(*this, name, "a whole number");
  }
  return *parsed;
}

std::vector<std::string> Settings::get_list(std::string_view name) const {
  std::vector<std::string> items;
  for (const std::string& part : text::split(text::replace_all(get(name), ";", ","), ',')) {
    const std::string_view item = text::trim(part);
    if (!item.empty()) {
      items.emplace_back(item);
    }
  }
  return items;
}

Resolved Settings::explain(std::string_view name, std::string_view section) const {
  std::vector<Resolved> found = candidates(m_inputs, name, section);
  Resolved winner = std::move(found.front());
  const bool last_is_empty = found.back().value.empty();
  for (auto hidden = found.begin() + 1; hidden < found.end(); ++hidden) {
    if (hidden->origin != Origin::default_value || !last_is_empty) {
      winner.hides.push_back(std::move(*hidden));
    }
  }
  return winner;
}

std::vector<std::string> Settings::sections() const {
  std::vector<std::string> names;
  for (const auto* ini : {&m_inputs.job_config, &m_inputs.user_defaults}) {
    if (!ini->has_value()) {
      continue;
    }
    for (const std::string& written : (*ini)->sections()) {
      const std::string section = text::lower(written);
      if (section.starts_with("vdk_") && section.size() > 4 &&
          std::find(names.begin(), names.end(), section.substr(4)) == names.end()) {
        names.push_back(section.substr(4));
      }
    }
  }
  return names;
}

std::map<std::string, std::string> Settings::values(std::string_view section) const {
  std::set<std::string> keys;
  if (section.empty()) {
    for (const Setting& setting : all_settings()) {
      keys.insert(setting.name);
    }
    for (const auto& [flag, value] : m_inputs.flags) {
      keys.insert(flag);
    }
  }
  collect_ini(keys, m_inputs.job_config, section);
  collect_ini(keys, m_inputs.user_defaults, section);
  collect_environment(keys, m_inputs, section, sections());
  std::map<std::string, std::string> result;
  for (const std::string& key : keys) {
    Resolved value = std::move(candidates(m_inputs, key, section).front());
    if (value.origin != Origin::default_value || !value.value.empty()) {
      result.emplace(key, std::move(value.value));
    }
  }
  return result;
}

}  // namespace vdk::config

// SPDX-License-Identifier: Apache-2.0
// set-default, reset-default, config explain, config-help
#include <filesystem>
#include <set>

#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/config/secrets.hpp"
#include "vdk/config/settings.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/plugin_commands.hpp"

namespace vdk::cli {
namespace {

void require_one(const ParsedCommand& command) {
  if (!command.has("team") && !command.has("rest-api-url")) {
    throw Error(ErrorKind::usage, {"nothing to do", "neither --team nor --rest-api-url is given", "nothing was changed",
                                   "give -t, -u or both"});
  }
}

std::string shown_value(const std::string& name, const std::string& value) {
  return config::is_secret_name(name) && !value.empty() ? "***" : config::mask_addresses(value);
}

Json explanation(const std::string& name, const config::Resolved& resolved) {
  Json record;
  record["name"] = name;
  record["value"] = shown_value(name, resolved.value);
  record["origin"] = std::string(config::to_string(resolved.origin));
  record["source"] = resolved.source;
  record["hides"] = Json::array();
  for (const config::Resolved& hidden : resolved.hides) {
    record["hides"].push_back({{"value", shown_value(name, hidden.value)},
                               {"origin", std::string(config::to_string(hidden.origin))},
                               {"source", hidden.source}});
  }
  return record;
}

std::string explanation_text(const Json& record) {
  std::string out = record["name"].get<std::string>() + " = " + record["value"].get<std::string>() + "  (" +
                    record["source"].get<std::string>() + ")\n";
  for (const Json& hidden : record["hides"]) {
    out += "    hides " + hidden["value"].get<std::string>() + "  (" + hidden["source"].get<std::string>() + ")\n";
  }
  return out;
}

[[noreturn]] void unknown_setting(const std::string& name) {
  std::vector<std::string> names;
  for (const config::Setting& setting : config::all_settings()) {
    names.push_back(setting.name);
  }
  const auto near = text::nearest(name, names);
  throw Error(ErrorKind::usage, {"no such setting '" + name + "'", "vdk does not declare it and nothing sets it",
                                 "there is nothing to explain",
                                 near ? "did you mean `" + *near + "`?" : "see `vdk config-help` for all settings"});
}

}  // namespace

int run_set_default(const ParsedCommand& command, Context&) {
  require_one(command);
  if (const auto team = command.value("team")) {
    config::save_user_default("team-name", *team);
    log::info("Default team name has been set to `" + *team + "`.");
  }
  if (const auto url = command.value("rest-api-url")) {
    if (config::mask_addresses(*url) != *url) {
      throw Error(ErrorKind::usage,
                  {"invalid value for '--rest-api-url'", "it contains a password, which would be stored in clear text",
                   "nothing was changed", "give an address such as https://host:8092, and log in with `vdk login`"});
    }
    config::save_user_default("rest-api-url", *url);
    log::info("Default REST API URL has been set to `" + *url + "`.");
  }
  return 0;
}

int run_reset_default(const ParsedCommand& command, Context&) {
  require_one(command);
  if (command.has("team")) {
    config::save_user_default("team-name", std::nullopt);
    log::info("Default team name has been reset.");
  }
  if (command.has("rest-api-url")) {
    config::save_user_default("rest-api-url", std::nullopt);
    log::info("Default REST API URL has been reset.");
  }
  return 0;
}

int run_config_explain(const ParsedCommand& command, Context& context) {
  const std::filesystem::path folder = command.value_or("job-path", ".");
  const config::Settings settings = config::Settings::from_process(folder);
  std::set<std::string> names;
  if (!command.positionals.empty()) {
    const std::string name = text::replace_all(text::lower(command.positionals.front()), "-", "_");
    if (config::find_setting(name) == nullptr && settings.get(name).empty()) {
      unknown_setting(name);
    }
    names.insert(name);
  } else {
    for (const auto& [name, value] : settings.values()) {
      if (!value.empty()) {
        names.insert(name);
      }
    }
  }
  Json records = Json::array();
  std::string out;
  for (const std::string& name : names) {
    records.push_back(explanation(name, settings.explain(name)));
    out += explanation_text(records.back());
  }
  print(context.json() ? dump_json(records) + "\n" : out);
  return 0;
}

namespace {

/// The settings of Python plugins beside vdk's own, where plugins are installed.
std::vector<config::Setting> settings_of_plugins() {
  const config::Settings settings = config::Settings::from_process();
  const auto interpreter = settings.get_bool("python_plugins") ? run::interpreter_with_plugins() : std::nullopt;
  std::vector<config::Setting> found;
  if (!interpreter) {
    return found;
  }
  try {
    for (const run::PluginSetting& one : run::list_plugin_settings(*interpreter, settings)) {
      found.push_back({.name = one.name, .default_value = one.default_value, .help = one.help, .secret = one.secret});
    }
  } catch (const Error& error) {
    log::warning(error.what());
  }
  return found;
}

}  // namespace

int run_config_help(const ParsedCommand&, Context& context) {
  constexpr std::size_t gutter = 40;
  Json records = Json::array();
  std::string out =
      "Settings come from, strongest first: flags, environment variables, [vdk] of the job's config.ini, the user's "
      "defaults file, built-in defaults.\n\nList of configuration variables:\n\n";
  std::vector<config::Setting> all = config::all_settings();
  const std::vector<config::Setting> more = settings_of_plugins();
  all.insert(all.end(), more.begin(), more.end());
  for (const config::Setting& setting : all) {
    records.push_back({{"name", setting.name},
                       {"default", setting.secret ? "" : setting.default_value},
                       {"help", setting.help},
                       {"secret", setting.secret},
                       {"environment", "VDK_" + text::upper(setting.name)}});
    const std::string pad(setting.name.size() + 1 < gutter ? gutter - setting.name.size() : 1, ' ');
    out += setting.name + pad + setting.help +
           (setting.default_value.empty() ? "" : " [default: " + setting.default_value + "]") + "\n";
  }
  out +=
      "\nHow to set them?\n"
      "  export VDK_DB_DEFAULT_TYPE=SQLITE      for this shell\n"
      "  [vdk]                                  in config.ini of a job\n"
      "  db_default_type = SQLITE\n"
      "`vdk config explain` shows what is in force and where it comes from.\n";
  print(context.json() ? dump_json(records) + "\n" : out);
  return 0;
}

}  // namespace vdk::cli

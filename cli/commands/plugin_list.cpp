// SPDX-License-Identifier: Apache-2.0
// plugin list, info, outdated
#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/survey.hpp"
#include "vdk/plugin/sync.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::cli {
namespace {

Json row_of(const plugin::Available& one, const std::optional<plugin::Config>& config) {
  const bool named = !config || one.origin != "install" ||
                     std::any_of(config->plugins.begin(), config->plugins.end(),
                                 [&](const plugin::PluginEntry& entry) { return entry.name == one.plugin.name; });
  Json row = {{"name", one.plugin.name},
              {"version", one.plugin.version},
              {"origin", one.origin},
              {"provider", one.plugin.provider},
              {"state", one.shadowed ? "shadowed"
                        : named      ? "installed"
                                     : "not configured"}};
  return row;
}

void add_details(Json& row, const plugin::Available& one) {
  row["provider_type"] = one.plugin.provider_kind;
  row["source"] = one.plugin.resolved;
  row["pin"] = one.plugin.pin;
  row["archive_sha256"] = one.plugin.archive_sha256;
  row["tree_sha256"] = one.plugin.tree_sha256;
  row["signer"] = one.plugin.signer;
  row["folder"] = one.folder.string();
  row["yaml_file"] = one.yaml_file.string();
}

Json rows_of(const std::vector<plugin::Available>& all, const std::optional<plugin::Config>& config, bool details) {
  Json rows = Json::array();
  for (const plugin::Available& one : all) {
    rows.push_back(row_of(one, config));
    if (details) {
      add_details(rows.back(), one);
    }
  }
  for (const plugin::PluginEntry& entry : config ? config->plugins : std::vector<plugin::PluginEntry>{}) {
    const bool there = std::any_of(all.begin(), all.end(), [&](const plugin::Available& one) {
      return one.origin == "install" && one.plugin.name == entry.name;
    });
    if (!there) {
      rows.push_back({{"name", entry.name},
                      {"version", entry.version},
                      {"origin", ""},
                      {"provider", entry.provider},
                      {"state", "not installed"}});
    }
  }
  return rows;
}

/// They stand behind everything that was installed or synced.
void add_shipped(Json& rows) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const Json& row) { return row["name"] == name && row["state"] != "not installed"; });
  };
  for (const std::filesystem::path& file : plugin::shipped_plugins()) {
    std::vector<plugin::Problem> ignored;
    if (const auto parsed = plugin::parse_yaml_plugin(file, ignored)) {
      rows.push_back({{"name", parsed->name},
                      {"version", parsed->version},
                      {"origin", "vdk"},
                      {"provider", ""},
                      {"state", taken(parsed->name) ? "shadowed" : "built in"}});
    }
  }
}

Json locked_record(const plugin::LockedEntry& entry) {
  Json files = Json::array();
  for (const auto& file : entry.files) {
    files.push_back({{"platform", file.platform},
                     {"source", file.resolved},
                     {"pin", file.pin},
                     {"size", file.size},
                     {"sha256", file.sha256},
                     {"tree_sha256", file.tree_sha256}});
  }
  return {{"version", entry.version}, {"signer", entry.signer}, {"files", std::move(files)}};
}

Json wanted_record(const plugin::PluginEntry& entry) {
  return {{"provider", entry.provider},
          {"path", plugin::redact_url(entry.path)},
          {"version", entry.version},
          {"line", entry.where.line}};
}

/// "locked.files.1.sha256": one line for each value, for people.
void flatten(const Json& value, const std::string& path, Json& out) {
  if (!value.is_structured()) {
    if (!value.is_string() || !value.get_ref<const std::string&>().empty()) {
      out[path] = value;
    }
    return;
  }
  std::size_t number = 0;
  for (const auto& [key, item] : value.items()) {
    ++number;
    const bool alone = value.is_array() && value.size() == 1;
    const std::string part = value.is_array() ? std::to_string(number) : key;
    flatten(item, alone ? path : path + (path.empty() ? "" : ".") + part, out);
  }
}

}  // namespace

int run_plugin_list(const ParsedCommand& command, Context& context) {
  const auto config = find_plugin_config(command);
  const auto all = plugin::available(plugin_folder(command, config));
  Json rows = rows_of(all, command.has("plugin-dir") ? std::nullopt : config, context.json());
  if (command.has("all")) {
    add_shipped(rows);
  }
  print(context.json() ? dump_json(rows) + "\n" : grid_table(rows));
  return 0;
}

int run_plugin_info(const ParsedCommand& command, Context& context) {
  const std::string& name = command.positionals.front();
  const auto config = find_plugin_config(command);
  const std::filesystem::path folder = plugin_folder(command, config);
  Json record;
  record["name"] = name;
  std::vector<std::string> names;
  if (config) {
    for (const plugin::PluginEntry& entry : config->plugins) {
      names.push_back(entry.name);
      if (entry.name == name) {
        record["configured"] = wanted_record(entry);
      }
    }
    for (const plugin::LockedEntry& entry : plugin::locked_plugins(*config)) {
      if (entry.name == name) {
        record["locked"] = locked_record(entry);
      }
    }
  }
  record["installed"] = Json::array();
  for (const plugin::Available& one : plugin::available(folder)) {
    names.push_back(one.plugin.name);
    if (one.plugin.name == name) {
      Json row = row_of(one, config);
      add_details(row, one);
      record["installed"].push_back(std::move(row));
    }
  }
  if (record["installed"].empty() && !record.contains("configured")) {
    const auto near = text::nearest(name, names);
    throw Error(ErrorKind::not_found,
                {.what = "there is no plugin '" + name + "'",
                 .why = "neither the configuration nor '" + folder.string() + "' has it",
                 .consequences = "Nothing was changed.",
                 .countermeasures = near ? "Did you mean '" + *near + "'?" : "See `vdk plugin list`."});
  }
  Json flat;
  flatten(record, "", flat);
  print(context.json() ? dump_json(record) + "\n" : key_value_table(flat));
  return 0;
}

int run_plugin_outdated(const ParsedCommand& command, Context& context) {
  constexpr int pending = 3;
  const plugin::Config config = load_plugin_config(command);
  Json rows = Json::array();
  bool any = false;
  for (const plugin::Outdated& one : plugin::outdated(config)) {
    const bool newer = !one.wanted.empty() && one.wanted != one.installed;
    any = any || newer;
    rows.push_back({{"name", one.name},
                    {"installed", one.installed},
                    {"wanted", one.wanted},
                    {"newest", one.newest},
                    {"outdated", newer}});
  }
  print(context.json() ? dump_json(rows) + "\n" : grid_table(rows));
  return any && command.has("check") ? pending : 0;
}

}  // namespace vdk::cli

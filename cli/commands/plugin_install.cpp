// SPDX-License-Identifier: Apache-2.0
// plugin install, upgrade, uninstall, rollback
#include <algorithm>
#include <mutex>

#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/store.hpp"

namespace vdk::cli {
namespace {

/// One line on a terminal that tells what is being fetched. Any thread.
class FetchProgress {
 public:
  explicit FetchProgress(bool enabled) : m_line(enabled) {}

  void tell(const std::string& name, std::uint64_t received, std::uint64_t total) {
    constexpr std::chrono::milliseconds pause{100};
    const std::lock_guard guard(m_mutex);
    const auto now = std::chrono::steady_clock::now();
    std::uint64_t& known = m_received[name];
    m_sum += received - std::min(known, received);
    known = received;
    if (now - m_last < pause) {
      return;
    }
    m_last = now;
    const std::string share =
        total == 0 ? "" : " " + std::to_string(received * 100 / std::max<std::uint64_t>(total, 1)) + " %";
    m_line.update("Fetching " + name + share + " (" + std::to_string(m_sum >> 10U) + " KiB of " +
                  std::to_string(m_received.size()) + " plugins so far)");
  }

 private:
  ProgressLine m_line;
  std::mutex m_mutex;
  std::map<std::string, std::uint64_t> m_received;
  std::uint64_t m_sum = 0;
  std::chrono::steady_clock::time_point m_last;
};

plugin::InstallResult install_with_progress(const plugin::Config& config, plugin::InstallOptions options, bool json) {
  const Interruption interruption;
  FetchProgress progress(!json);
  options.cancelled = Interruption::flag();
  options.progress = [&](const std::string& name, std::uint64_t received, std::uint64_t total) {
    progress.tell(name, received, total);
  };
  return plugin::install(config, options);
}

void show(const plugin::Config& config, const plugin::InstallOptions& options, const plugin::InstallResult& result,
          bool json) {
  for (const std::string& warning : result.warnings) {
    log::warning(warning);
  }
  const bool planned = options.dry_run || options.check;
  if (json) {
    Json rows = Json::array();
    for (const plugin::Change& change : result.changes) {
      rows.push_back(change_row(change));
    }
    print(dump_json(Json{{"changes", std::move(rows)},
                         {"dry_run", planned},
                         {"generation", result.generation},
                         {"plugin_dir", config.plugin_dir.string()},
                         {"downloads", result.downloads},
                         {"network_requests", result.network_requests}}) +
          "\n");
    return;
  }
  std::string out;
  for (const plugin::Change& change : result.changes) {
    out += plugin::describe(change) + "\n";
  }
  print(out);
  if (result.changes.empty()) {
    log::info("Plugins of " + config.plugin_dir.string() + ": " + std::to_string(config.plugins.size()) +
              ", all as configured.");
  } else if (planned) {
    log::info("Nothing was changed.");
  } else {
    log::info("Installed to " + config.plugin_dir.string() + " (generation " + std::to_string(result.generation) +
              ").");
  }
}

}  // namespace

int run_plugin_install(const ParsedCommand& command, Context& context) {
  const plugin::InstallOptions options = install_options(command);
  if (options.locked && options.upgrade) {
    throw Error(ErrorKind::usage,
                {"--locked and --upgrade exclude each other", "one keeps the lock file, the other renews it",
                 "Nothing was changed.", "Give one of the two."});
  }
  const plugin::Config config = load_plugin_config(command);
  show(config, options, install_with_progress(config, options, context.json()), context.json());
  return 0;
}

int run_plugin_upgrade(const ParsedCommand& command, Context& context) {
  plugin::InstallOptions options = install_options(command);
  const plugin::Config config = load_plugin_config(command);
  std::vector<std::string> names;
  for (const plugin::PluginEntry& entry : config.plugins) {
    names.push_back(entry.name);
  }
  for (const std::string& name : command.positionals) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const auto near = text::nearest(name, names);
      throw Error(ErrorKind::not_found,
                  {.what = "there is no plugin '" + name + "'",
                   .why = "'" + config.file.string() + "' does not name it",
                   .consequences = "Nothing was changed.",
                   .countermeasures = near ? "Did you mean '" + *near + "'?" : "See `vdk plugin list`."});
    }
  }
  options.upgrade = true;
  options.upgrade_only = command.positionals;
  show(config, options, install_with_progress(config, options, context.json()), context.json());
  return 0;
}

int run_plugin_uninstall(const ParsedCommand& command, Context& context) {
  plugin::InstallOptions options = install_options(command);
  plugin::Config config = load_plugin_config(command);
  const std::string before = files::read(config.file);
  const auto mode = static_cast<unsigned>(std::filesystem::status(config.file).permissions());
  const auto put = [&](const std::string& content) {
    files::write_atomic(config.file, content, mode & 0777U);
    config = plugin::load_config(config.file);
  };
  if (options.dry_run) {
    for (const std::string& name : command.positionals) {
      (void)plugin::config_without(config, name);
      std::erase_if(config.plugins, [&](const plugin::PluginEntry& entry) { return entry.name == name; });
    }
    show(config, options, plugin::install(config, options), context.json());
    return 0;
  }
  try {
    for (const std::string& name : command.positionals) {
      put(plugin::config_without(config, name));
    }
    show(config, options, install_with_progress(config, options, context.json()), context.json());
  } catch (...) {
    if (files::read(config.file) != before) {
      files::write_atomic(config.file, before, mode & 0777U);
    }
    throw;
  }
  return 0;
}

int run_plugin_rollback(const ParsedCommand& command, Context& context) {
  const auto config = find_plugin_config(command);
  plugin::Store store(plugin_folder(command, config));
  const std::vector<std::uint64_t> all = store.generations();
  const auto receipt = store.receipt();
  const std::uint64_t now = receipt ? receipt->generation : 0;
  if (command.has("list")) {
    Json rows = Json::array();
    for (const std::uint64_t number : all) {
      const auto one = store.receipt(number);
      rows.push_back({{"generation", number},
                      {"created", one ? one->created : ""},
                      {"plugins", one ? one->plugins.size() : 0},
                      {"current", number == now}});
    }
    print(context.json() ? dump_json(rows) + "\n" : grid_table(rows));
    return 0;
  }
  std::uint64_t target = 0;
  if (command.has("to")) {
    target = static_cast<std::uint64_t>(number_option(command, "to", 0, 1, 2'000'000'000));
  } else {
    const auto older = std::find_if(all.rbegin(), all.rend(), [&](std::uint64_t one) { return one < now; });
    if (older == all.rend()) {
      throw Error(ErrorKind::not_found, {.what = "there is no older installation to go back to",
                                         .why = "'" + store.root().string() + "' keeps " + std::to_string(all.size()),
                                         .consequences = "Nothing was changed.",
                                         .countermeasures = "`vdk plugin rollback --list` lists what is kept."});
    }
    target = *older;
  }
  store.write(install_options(command).lock_wait).roll_back_to(target);
  if (context.json()) {
    print(dump_json(Json{{"generation", target}, {"from", now}}) + "\n");
  } else {
    log::info("Went back from generation " + std::to_string(now) + " to " + std::to_string(target) +
              ". `vdk plugin install` goes forward again.");
  }
  return 0;
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
// plugin vendor, cache show, cache prune
#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/log.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::cli {
namespace {

std::vector<std::string> needed_hashes(const ParsedCommand& command) {
  std::vector<std::string> hashes;
  if (const auto config = find_plugin_config(command)) {
    for (const plugin::LockedEntry& entry : plugin::locked_plugins(*config)) {
      for (const auto& file : entry.files) {
        hashes.push_back(file.sha256);
      }
    }
  }
  return hashes;
}

}  // namespace

int run_plugin_vendor(const ParsedCommand& command, Context& context) {
  const plugin::Config config = load_plugin_config(command);
  plugin::InstallOptions options = install_options(command);
  const Interruption interruption;
  options.cancelled = Interruption::flag();
  const plugin::Vendored result = plugin::vendor(config, command.positionals.front(), options);
  if (context.json()) {
    print(dump_json(Json{{"config", result.config.string()}, {"files", result.files}, {"bytes", result.bytes}}) + "\n");
  } else {
    print(result.config.string() + "\n");
    log::info("Copied " + std::to_string(result.files) + (result.files == 1 ? " file" : " files") +
              ". Install from there with `vdk plugin install -c " + result.config.string() + "`.");
  }
  return 0;
}

int run_plugin_cache_show(const ParsedCommand& command, Context& context) {
  plugin::Cache cache;
  const auto all = cache.prune({}, true);
  const auto unused = cache.prune(needed_hashes(command), true);
  const Json record = {{"folder", plugin::Cache::default_directory().string()},
                       {"files", all.files},
                       {"bytes", all.bytes},
                       {"not_needed_files", unused.files},
                       {"not_needed_bytes", unused.bytes}};
  print(context.json() ? dump_json(record) + "\n" : key_value_table(record));
  return 0;
}

int run_plugin_cache_prune(const ParsedCommand& command, Context& context) {
  const bool dry_run = command.has("dry-run");
  plugin::Cache cache;
  const auto removed = cache.prune(command.has("all") ? std::vector<std::string>{} : needed_hashes(command), dry_run);
  if (context.json()) {
    print(dump_json(Json{{"files", removed.files}, {"bytes", removed.bytes}, {"dry_run", dry_run}}) + "\n");
  } else {
    log::info((dry_run ? "Would remove " : "Removed ") + std::to_string(removed.files) + " files, " +
              std::to_string(removed.bytes) + " bytes.");
  }
  return 0;
}

}  // namespace vdk::cli

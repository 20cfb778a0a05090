// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/plugin_setup.hpp"

#include <csignal>

#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

constexpr const char* k_default_file = "vdk-plugins.yaml";
std::atomic<bool> g_interrupted{false};

extern "C" void on_interruption(int number) {
  if (g_interrupted.exchange(true)) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

bool is_named(const ParsedCommand& command) {
  return command.has("config") || !process::environment("VDK_PLUGINS_CONFIG").value_or("").empty();
}

}  // namespace

Interruption::Interruption() {
  g_interrupted = false;
  std::signal(SIGINT, on_interruption);
  std::signal(SIGTERM, on_interruption);
}

Interruption::~Interruption() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>* Interruption::flag() noexcept { return &g_interrupted; }

std::filesystem::path plugin_config_file(const ParsedCommand& command) {
  const std::string set = process::environment("VDK_PLUGINS_CONFIG").value_or("");
  return command.value_or("config", set.empty() ? k_default_file : set);
}

void log_problem(const plugin::Problem& problem) {
  const SourceLocation& at = problem.location;
  const std::string text = at.file + ":" +
                           (at.line == 0 ? "" : std::to_string(at.line) + ":" + std::to_string(at.column) + ":") + " " +
                           problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")");
  problem.severity == plugin::Problem::Severity::warning ? log::warning(text) : log::error(text);
}

std::filesystem::path named_plugin_config(const ParsedCommand& command) {
  const std::filesystem::path file = plugin_config_file(command);
  if (!is_named(command) && !std::filesystem::exists(file)) {
    throw Error(ErrorKind::not_found, {.what = "there is no plugin configuration",
                                       .why = std::string("there is no '") + k_default_file + "' in this folder",
                                       .consequences = "Nothing was changed.",
                                       .countermeasures = "Name one with --config; docs/plugins.md has an example."});
  }
  return file;
}

plugin::Config load_plugin_config(const ParsedCommand& command) {
  plugin::Config config = plugin::load_config(named_plugin_config(command));
  for (const plugin::Problem& warning : config.warnings) {
    log_problem(warning);
  }
  return config;
}

std::optional<plugin::Config> find_plugin_config(const ParsedCommand& command) {
  if (!is_named(command) && !std::filesystem::exists(k_default_file)) {
    return std::nullopt;
  }
  return plugin::load_config(plugin_config_file(command));
}

std::filesystem::path plugin_folder(const ParsedCommand& command, const std::optional<plugin::Config>& config) {
  if (const auto given = command.value("plugin-dir"); given && !given->empty()) {
    return std::filesystem::absolute(*given).lexically_normal();
  }
  return config ? config->plugin_dir : std::filesystem::absolute(".plugins");
}

int number_option(const ParsedCommand& command, const std::string& name, int fallback, int lowest, int highest) {
  const auto given = command.value(name);
  if (!given) {
    return fallback;
  }
  const auto parsed = text::parse_int(*given);
  if (!parsed || *parsed < lowest || *parsed > highest) {
    throw Error(ErrorKind::usage, {.what = "invalid value for '--" + name + "'",
                                   .why = "'" + *given + "' is no whole number from " + std::to_string(lowest) +
                                          " to " + std::to_string(highest),
                                   .consequences = "Nothing was changed.",
                                   .countermeasures = "Correct it."});
  }
  return static_cast<int>(*parsed);
}

plugin::InstallOptions install_options(const ParsedCommand& command) {
  constexpr int day = 24 * 3600;
  plugin::InstallOptions options;
  options.locked = command.has("locked");
  options.offline = command.has("offline");
  options.dry_run = command.has("dry-run");
  options.check = command.has("check");
  options.upgrade = command.has("upgrade");
  options.prune = !command.has("no-prune");
  options.accept_new_signer = command.has("accept-new-signer");
  options.parallel = number_option(command, "parallel", options.parallel, 1, 32);
  options.lock_wait = std::chrono::seconds(number_option(command, "lock-wait", 60, 0, day));
  return options;
}

Json change_row(const plugin::Change& change) {
  static constexpr const char* kinds[] = {"added", "changed", "removed"};
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"change", kinds[static_cast<int>(change.kind)]},
          {"name", change.name},
          {"from_version", text_or_null(change.from_version)},
          {"to_version", text_or_null(change.to_version)}};
}

}  // namespace vdk::cli

// SPDX-License-Identifier: Apache-2.0
// server fsck, server backup, server restore
#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/log.hpp"

namespace vdk::cli {
namespace {

Json rows(const std::vector<control::Finding>& findings) {
  Json all = Json::array();
  for (const control::Finding& finding : findings) {
    all.push_back({{"subject", finding.subject}, {"problem", finding.problem}, {"repaired", finding.repaired}});
  }
  return all;
}

std::string lines(const std::vector<control::Finding>& findings) {
  std::string out;
  for (const control::Finding& finding : findings) {
    out += finding.subject + ": " + finding.problem + (finding.repaired ? " (repaired)" : "") + "\n";
  }
  return out;
}

/// Nothing left to mend.
bool is_clean(const std::vector<control::Finding>& findings) {
  return std::all_of(findings.begin(), findings.end(), [](const auto& finding) { return finding.repaired; });
}

}  // namespace

int run_server_fsck(const ParsedCommand& command, Context& context) {
  const control::EmbeddedOptions options = server_options(load_server(command), context, Interpreters::needed);
  const auto target = server_target(options.home);
  const bool repair = command.has("repair");
  const auto findings = control::fsck(options, *target, *context.clock(), repair);
  const bool clean = is_clean(findings);
  if (context.json()) {
    print(dump_json(Json{{"clean", clean}, {"findings", rows(findings)}}) + "\n");
  } else {
    print(findings.empty() ? "Nothing is wrong.\n" : lines(findings));
    if (!clean && !repair) {
      log::info("`vdk server fsck --repair` mends what has one right answer.");
    }
  }
  return clean ? 0 : 1;
}

int run_server_backup(const ParsedCommand& command, Context& context) {
  const control::EmbeddedOptions options = server_options(load_server(command), context, Interpreters::not_needed);
  const std::filesystem::path directory = std::filesystem::absolute(command.positionals.front()).lexically_normal();
  const bool with_key = command.has("with-key");
  {
    ProgressLine progress(!context.json());
    progress.update("Copying database and sources ...");
    control::backup(options, directory, with_key);
  }
  if (context.json()) {
    print(dump_json(Json{{"directory", directory.string()}, {"with_key", with_key}}) + "\n");
  } else {
    print("Backup written to " + directory.string() + "\n");
    if (!with_key) {
      log::info("The key of the jobs' secrets is not in it; --with-key includes it.");
    }
  }
  return 0;
}

int run_server_restore(const ParsedCommand& command, Context& context) {
  const control::EmbeddedOptions options = server_options(load_server(command), context, Interpreters::needed);
  const std::string given = command.value_or("from", "");
  const auto from = given.empty() ? std::filesystem::path() : std::filesystem::absolute(given).lexically_normal();
  const auto target = server_target(options.home);
  const auto lost =
      control::restore(options, *target, *context.clock(), from, [&](std::string_view step) { log::info(step); });
  if (context.json()) {
    print(dump_json(Json{{"restored", lost.empty()}, {"problems", rows(lost)}}) + "\n");
  } else {
    print(lost.empty() ? "Every deployment is as the database wants it.\n" : lines(lost));
  }
  return lost.empty() ? 0 : 1;
}

}  // namespace vdk::cli

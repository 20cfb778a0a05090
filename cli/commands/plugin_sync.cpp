// SPDX-License-Identifier: Apache-2.0
// plugin sync
#include <algorithm>

#include "cli/commands/auth_setup.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/plugin_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/auth/token_source.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/sync.hpp"

namespace vdk::cli {
namespace {

constexpr const char* k_control_service = "control-service";

plugin::ServerEntry server_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorKind::usage,
                {"invalid value for '--server'", "'" + text + "' is not NAME=URL", "Nothing was synced.",
                 "Give for example --server integration=https://vdk.example.com."});
  }
  return {.name = text.substr(0, equals), .url = text.substr(equals + 1), .where = {}};
}

/// --server, else the configuration's servers, else the control service.
std::vector<plugin::ServerEntry> servers_of(const ParsedCommand& command, const Context& context,
                                            const std::optional<plugin::Config>& config) {
  std::vector<plugin::ServerEntry> servers;
  for (const std::string& text : command.all("server")) {
    servers.push_back(server_of(text));
  }
  if (servers.empty() && config) {
    servers = config->servers;
  }
  if (const std::string url = context.rest_api_url(); servers.empty() && !url.empty()) {
    servers.push_back({.name = k_control_service, .url = url, .where = {}});
  }
  if (servers.empty()) {
    throw Error(ErrorKind::configuration,
                {"there is no server to sync from",
                 "the configuration has no 'servers', --server is not given, and no control service is set",
                 "Nothing was synced.",
                 "Add servers to vdk-plugins.yaml, give --server NAME=URL, or set VDK_CONTROL_SERVICE_REST_API_URL."});
  }
  return servers;
}

std::string origin_of(const std::string& url) { return url.substr(0, url.find('/', url.find("://") + 3)); }

/// True when nobody on the way can read what is sent.
bool is_private(const std::string& origin) {
  const std::string host = origin.substr(origin.find("://") + 3);
  return origin.starts_with("https://") || host.starts_with("127.") || host.starts_with("localhost") ||
         host.starts_with("[::1]");
}

/// The login goes to the control service that it was made for and to servers that somebody typed; a configuration that
/// came with a project does not get it sent to wherever it likes.
plugin::SyncOptions sync_options(const ParsedCommand& command, const Context& context,
                                 std::shared_ptr<auth::TokenSource> tokens) {
  constexpr int longest_wait = 86'400;
  plugin::SyncOptions options;
  const bool typed = !command.all("server").empty();
  options.token = [tokens, typed, own = origin_of(context.rest_api_url())](const std::string& url) {
    if (origin_of(url) != own && (!typed || !is_private(origin_of(url)))) {
      return std::optional<std::string>();
    }
    std::string token = tokens->token();
    return token.empty() ? std::nullopt : std::optional(std::move(token));
  };
  options.http = http_options(context.settings());
  options.http.on_retry = [](const std::string& reason, std::chrono::milliseconds pause) {
    log::warning("A server of plugins did not answer: " + reason + "; trying again in " +
                 std::to_string(pause.count()) + " ms");
  };
  options.dry_run = command.has("dry-run");
  options.check = command.has("check");
  options.lock_wait = std::chrono::seconds(number_option(command, "lock-wait", 60, 0, longest_wait));
  return options;
}

Json row_of(const plugin::SyncResult& result) {
  Json changes = Json::array();
  for (const plugin::Change& change : result.changes) {
    changes.push_back(change_row(change));
  }
  Json row = {{"server", result.server},
              {"changes", std::move(changes)},
              {"legacy", result.legacy},
              {"downloads", result.downloads},
              {"network_requests", result.network_requests}};
  row["error"] = result.failure ? error_to_json(*result.failure)["error"] : Json();
  return row;
}

void show_text(const std::vector<plugin::SyncResult>& results, bool planned) {
  std::string out;
  for (const plugin::SyncResult& result : results) {
    for (const plugin::Change& change : result.changes) {
      out += result.server + ": " + plugin::describe(change) + "\n";
    }
    if (!result.failure && result.changes.empty()) {
      log::info("The plugins of '" + result.server + "' are what it publishes.");
    } else if (!result.failure && !planned) {
      log::info("Synced with '" + result.server + "'.");
    }
  }
  print(out);
  if (planned) {
    log::info("Nothing was changed.");
  }
}

}  // namespace

int run_plugin_sync(const ParsedCommand& command, Context& context) {
  constexpr int pending = 3;
  const auto config = find_plugin_config(command);
  const auto servers = servers_of(command, context, config);
  const auto options =
      sync_options(command, context, std::make_shared<auth::TokenSource>(token_options(context.settings())));
  const auto folder = plugin_folder(command, config);
  const auto results = plugin::sync(folder, servers, options);
  Json rows = Json::array();
  for (const plugin::SyncResult& result : results) {
    for (const std::string& warning : result.warnings) {
      log::warning(result.server + ": " + warning);
    }
    rows.push_back(row_of(result));
  }
  const auto failure = plugin::failure_of(results);
  if (context.json()) {
    print(dump_json(Json{{"plugin_dir", folder.string()},
                         {"dry_run", options.dry_run || options.check},
                         {"servers", std::move(rows)}}) +
          "\n");
  } else {
    show_text(results, options.dry_run || options.check);
    if (failure) {
      throw Error(*failure);
    }
  }
  const bool any = std::any_of(results.begin(), results.end(), [](const auto& result) { return result.changed; });
  return failure ? exit_code(failure->kind()) : any && options.check ? pending : 0;
}

}  // namespace vdk::cli

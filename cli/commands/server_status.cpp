// SPDX-License-Identifier: Apache-2.0
// server --status
#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"

namespace vdk::cli {
namespace {

/// What the server says about itself: UP, DOWN, or why it does not answer.
std::string ask_health(const std::string& address) {
  constexpr std::chrono::milliseconds patience{3000};
  constexpr int ok = 200;
  try {
    // Nothing secret is asked, and the certificate is for another name than the address that is listened on.
    const auto client =
        http::make_client({.connect_timeout = patience, .total_timeout = patience, .verify_tls = false});
    return client->send({.url = address + "/data-jobs/debug/health"}).status == ok ? "UP" : "DOWN";
  } catch (const Error& error) {
    return "no answer: " + error.text().why;
  }
}

}  // namespace

int show_server_status(const ParsedCommand& command, const Context& context) {
  const control::ServerConfig config = load_server(command);
  const auto& home = config.embedded.home;
  const auto servers = running_servers(home);
  Json rows = Json::array();
  std::string out;
  for (const RunningServer& server : servers) {
    const std::string health = ask_health(server.address);
    rows.push_back({{"pid", server.pid},
                    {"address", server.address},
                    {"health", health},
                    {"database", server.database},
                    {"version", server.version},
                    {"config", server.config},
                    {"started", server.started}});
    out += "A server runs on " + home.string() + ".\n";
    out += "  process id  " + std::to_string(server.pid) + "\n";
    out += "  address     " + server.address + "\n";
    out += "  health      " + health + "\n";
    out += "  database    " + server.database + "\n";
    out += "  version     " + server.version + "\n";
    out += "  config      " + (server.config.empty() ? "none" : server.config) + "\n";
    out += "  started     " + server.started + "\n";
  }
  if (context.json()) {
    print(dump_json(Json{{"running", !servers.empty()}, {"home", home.string()}, {"servers", rows}}) + "\n");
  } else {
    print(servers.empty() ? "No server runs on " + home.string() + ".\n" : out);
  }
  return servers.empty() ? 1 : 0;
}

}  // namespace vdk::cli
